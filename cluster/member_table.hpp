#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vicket {

/// A node of a cluster as it tells of itself.
struct member {
  std::string node; ///< its name, which no other has
  std::string life; ///< of this process alone: at random
  std::string zone; ///< what fails together
  std::string addresses;
  std::int32_t protocol_from = 1; ///< the oldest records and messages that it can read
  std::int32_t protocol_to = 1;   ///< the newest that it can write
  static constexpr const char* up = "up";
  static constexpr const char* leaving = "leaving";
  static constexpr const char* stalled = "stalled"; ///< a store of it takes nothing: it is to own nothing
  std::string state = up;
  std::string wrong;                       ///< what is wrong with it, for operators; empty: nothing
  std::vector<std::string> unreached = {}; ///< names of nodes that it can't reach; see `contact_report`
  /// Of the server on which it has looked at the logs of all its partitions, and found in them what it has; 0: none yet.
  std::uint64_t looked_at = 0;
};

/// The row of a member.
struct member_row : member {
  std::uint64_t incarnation = 0; ///< which life of that node, from 1; a failover may lose some
  std::uint64_t beats = 0;       ///< its signs of life in that one
  std::uint64_t timeline = 0;    ///< of the server that it writes to
  bool drained = false;          ///< by an operator: it is to own and keep nothing
};

/// The nodes of a cluster, where all of them see each other. Calls and answers as `log_table`'s.
class member_table {
public:
  struct enter_answer {
    bool acknowledged = false;     ///< durable; else it may have been done, and may be done again
    std::uint64_t incarnation = 0; ///< this life's
    std::string detail;
  };
  struct beat_answer {
    bool acknowledged = false;
    bool absent = false; ///< there is no such life of this node: another one has entered, or the row was lost
    std::string detail;
  };
  struct list_answer {
    bool answered = false;
    std::vector<member_row> rows; ///< by name
    std::string detail;
  };

  member_table() = default;
  member_table(const member_table&) = delete;
  member_table& operator=(const member_table&) = delete;
  virtual ~member_table() = default;

  /// The next life of this node begins, unless it has; the one before, if it goes on, finds out at its next sign of life.
  virtual void enter(const member& self, std::function<void(enter_answer)> done) = 0;
  /// A sign of life, with what has changed of it, if that life is still the node's.
  virtual void beat(const member& self, std::uint64_t incarnation, std::function<void(beat_answer)> done) = 0;
  virtual void list(std::function<void(list_answer)> done) = 0;

  // -- who keeps which partition ---------------------------------------------------------------------------------------
  // That is what a partition's log says; this says so to those who don't follow it, and how far the copies are.

  struct copy {
    std::uint32_t partition = 0;
    std::string node;
    std::uint64_t synced_to = 0; ///< record, on the node's disk
    bool complete = false;       ///< it had all of the log when it said so
    /// Of a partition that all nodes keep: the node notes itself. Of others only the owner notes who keeps them.
    bool notes_itself = false;
  };
  struct copies_answer {
    bool answered = false;
    std::vector<copy> rows; ///< by partition, then node
  };
  virtual void list_copies(std::function<void(copies_answer)> done) = 0;
  /// Of a node's own copies, those that are noted, or note themselves. In order with `enter`: what is told before it is there
  /// before the node is, as long as the server answers.
  virtual void tell_copies(const std::vector<copy>& copies) = 0;
  /// By the owner of this epoch, once `log_table::note_owner` is done: these keep the partition, and nobody else.
  virtual void note_copies(std::uint32_t partition, std::uint64_t epoch,
                           const std::vector<std::string>& nodes) = 0;
};

} // namespace vicket
