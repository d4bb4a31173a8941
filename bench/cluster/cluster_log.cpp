#include "bench/cluster/cluster_log.hpp"

#include "storage/partition_store.hpp"

#include <string>
#include <utility>

namespace vicket {

namespace {

using step = append_settling::step;

/// Of a step that is not `durable`.
std::string sentence_of(const record_appender::settled& settled) {
  switch (settled.how) {
  case step::refused:
    return "the cluster's log refuses: " + settled.detail;
  case step::lost:
    return "another node owns the partition";
  case step::behind:
    return "the cluster's log was trimmed beyond what this node has";
  case step::broken:
    return "the cluster's log went back: what it acknowledged is not there";
  default:
    return "the partition is halted";
  }
}

} // namespace

struct cluster_log::rep {
  explicit rep(setup given) : with{std::move(given)}, history{with.history}, appender{with.appender} {}

  setup with;
  log_history history; ///< changes between two appends alone
  record_appender appender;
};

cluster_log::cluster_log(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

cluster_log::~cluster_log() = default;

void cluster_log::append(const sealed_round& round, completion done) {
  auto& self = *rep_;
  const auto head = self.history.next(record_kind::round, self.history.last().number);
  log_row row{head, {}, self.with.codec->seal(head, self.history.digest(), round.bytes())};
  row.digest = digest_of(self.history.digest(), head, row.body);
  self.with.post([rep = rep_, &round, row = std::move(row), done = std::move(done)]() mutable {
    const log_history with_it{row.head, row.digest, true};
    rep->appender.append(
        std::move(row), rep->history.digest(),
        [rep = rep.get(), &round, with_it, done = std::move(done)](const record_appender::settled& settled) {
          if (settled.how == step::refused)
            return done({store_errc::full, sentence_of(settled)});
          if (settled.how != step::durable)
            return done({store_errc::failed, sentence_of(settled)});
          rep->history = with_it;
          done(rep->with.store->apply(round, partition_store::durability::unsynced));
        });
  });
}

} // namespace vicket
