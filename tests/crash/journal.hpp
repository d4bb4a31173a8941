#pragma once

#include "tests/crash/records.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <variant>

namespace vicket::crash {

/// A file of JSON lines. Each is written by one call, whole, so that whatever happens to the process, what it
/// noted is there. May be used by several threads at once.
class journal {
public:
  /// Creates or appends. Throws std::runtime_error if it can't.
  explicit journal(const std::filesystem::path& file);
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  void note(const send_record& sent);
  void note(const answer_record& answer);
  void note(const change_record& change);
  void note(const change_answer_record& answer);
  void note(const look_record& look);
  void note(const follower_record& one);
  /// A request on its arrival, under a number of the receiver's own, and the end of it.
  void note_arrival(std::uint64_t number, const request_record& request);
  void note_end(std::uint64_t number, const request_record& request);

private:
  void append(std::string line);

  std::mutex mutex_;
  int file_ = -1;
};

using feeder_record =
    std::variant<send_record, answer_record, change_record, change_answer_record, look_record>;

/// Reads a journal from its beginning. Throw std::runtime_error on a line that is none.
void read_feeder_journal(const std::filesystem::path& file,
                         const std::function<void(const feeder_record&)>& take);
void read_receiver_journal(const std::filesystem::path& file,
                           const std::function<void(request_record)>& take);
void read_follower_journal(const std::filesystem::path& file,
                           const std::function<void(follower_record)>& take);

} // namespace vicket::crash
