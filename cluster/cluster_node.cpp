#include "cluster/cluster_node.hpp"

#include "cluster/postgres_members.hpp"
#include "cluster/postgres_table.hpp"
#include "cluster/while_alive.hpp"
#include "net/host_lookup.hpp"
#include "net/pause.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>
#include <vector>

namespace vicket {

namespace {

using internal::pause;
using internal::while_alive;

constexpr std::chrono::milliseconds lookup_patience{1'000};

} // namespace

std::int64_t boot_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

struct cluster_node::rep : std::enable_shared_from_this<rep> {
  explicit rep(setup given)
      : with{std::move(given)}, io{with.part.log_warning}, names{io, lookup_patience},
        table{postgres_table::setup{
            &io, with.conninfo, with.schema,
            std::min<std::size_t>(with.part.stores.size(), postgres_table::max_append_sessions), &names}},
        members{postgres_members::setup{&io, with.conninfo, with.schema, &names}}, ticker{io} {}

  void begin() {
    with.part.table = &table;
    with.part.members = &members;
    with.part.now_ms = boot_ms;
    with.part.wait = [this](std::int64_t ms, std::function<void()> then) { wait(ms, std::move(then)); };
    with.part.post = [weak = weak_from_this()](std::function<void()> work) {
      if (const auto self = weak.lock())
        internal::post_while_alive(self->io, self, [work = std::move(work)](rep&) { work(); });
    };
    part = std::make_unique<cluster_part>(std::move(with.part));
    tick();
  }

  /// On the thread: nothing is called from here on.
  void end() {
    ticker.cancel();
    part.reset();
    pauses.clear();
  }

  void tick() {
    if (!part)
      return;
    part->tick();
    if (table.look_after())
      members.leave_server();
    ticker.start(std::chrono::milliseconds{cluster_part::beat_ms},
                 while_alive(weak_from_this(), [](rep& self) { self.tick(); }));
  }

  void wait(std::int64_t ms, std::function<void()> then) {
    std::erase_if(pauses, [](const auto& each) { return *each.second; });
    const auto over = std::make_shared<bool>(false);
    pauses.emplace_back(std::make_unique<pause>(io), over);
    // One that has run out is called also when it is cancelled.
    pauses.back().first->start(std::chrono::milliseconds{ms},
                               while_alive(weak_from_this(), [over, then = std::move(then)](rep& self) {
                                 if (self.part)
                                   then();
                                 *over = true;
                               }));
  }

  setup with;
  internal::io_thread io;
  internal::host_lookup names; ///< of the databases' hosts
  postgres_table table;
  postgres_members members;
  std::vector<std::pair<std::unique_ptr<pause>, std::shared_ptr<bool>>> pauses;
  pause ticker;
  std::unique_ptr<cluster_part> part;
};

cluster_node::cluster_node(setup with) : rep_{std::make_shared<rep>(std::move(with))} {
  internal::post_while_alive(rep_->io, rep_, [](rep& self) { self.begin(); });
}

cluster_node::~cluster_node() {
  rep_->io.run([this] { rep_->end(); });
}

void cluster_node::peer_is(std::string node, bool connected, std::string why) {
  internal::post_while_alive(rep_->io, rep_,
                             [node = std::move(node), connected, why = std::move(why)](rep& self) {
                               if (self.part)
                                 self.part->peer_is(node, connected, why);
                             });
}

void cluster_node::checkpoint(std::uint32_t partition, std::filesystem::path to,
                              std::function<void(std::variant<std::uint64_t, store_status>)> done) {
  internal::post_while_alive(rep_->io, rep_,
                             [partition, to = std::move(to), done = std::move(done)](rep& self) {
                               if (self.part)
                                 done(self.part->checkpoint(partition, to));
                             });
}

bool cluster_node::let_go(std::int64_t most_ms) {
  const auto until = boot_ms() + most_ms;
  for (;;) {
    bool owns = false;
    rep_->io.run([&] {
      if (rep_->part) {
        rep_->part->close();
        owns = rep_->part->owns_any();
      }
    });
    if (!owns || boot_ms() >= until)
      return !owns;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

} // namespace vicket
