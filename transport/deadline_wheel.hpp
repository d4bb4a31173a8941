#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace vicket {

/// The deadlines of an I/O thread: a timing wheel of 1,024 slots of 10 ms, so that setting and clearing a
/// deadline costs a few pointer writes (each request does both, and few deadlines ever pass). Never fires
/// early; fires up to one tick late. A deadline further away than the wheel is long is put back when its slot
/// comes round.
///
/// Not thread-safe; time is handed in.
class deadline_wheel {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds tick{10};
  static constexpr std::size_t slots = 1'024;

  /// One deadline. Lives inside what it guards and leaves the wheel with it.
  class entry {
  public:
    entry(void* owner, void (*on_due)(void* owner)) : owner_{owner}, on_due_{on_due} {}
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    ~entry() {
      if (wheel_)
        wheel_->remove(*this);
    }

  private:
    friend class deadline_wheel;
    entry() = default;

    entry* previous_ = nullptr;
    entry* next_ = nullptr;
    deadline_wheel* wheel_ = nullptr; ///< set while it waits
    time_point due_;
    void* owner_ = nullptr;
    void (*on_due_)(void* owner) = nullptr;
  };

  explicit deadline_wheel(time_point now);

  /// Sets the deadline, or moves it when it is set already.
  void add(entry& deadline, time_point due);

  void remove(entry& deadline);

  /// Calls everything that is due. What is called may add and remove entries, its own included.
  void advance(time_point now);

  [[nodiscard]] bool empty() const { return size_ == 0; }

private:
  static std::int64_t tick_at_or_after(time_point t);
  static void link(entry& list, entry& deadline);
  static void unlink(entry& deadline);
  void fire_slot(entry& slot, time_point now);

  std::unique_ptr<entry[]> slots_{new entry[slots]}; ///< heads of circular lists
  std::int64_t next_tick_;                           ///< all slots before it have been emptied
  std::size_t size_ = 0;
};

} // namespace vicket
