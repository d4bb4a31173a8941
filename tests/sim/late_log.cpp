#include "tests/sim/late_log.hpp"

#include "storage/partition_store.hpp"

#include <utility>

namespace vicket::sim {

class late_logs::late_log final : public round_log {
public:
  late_log(partition_store& store, std::shared_ptr<std::vector<waiting>> rounds)
      : store_{store}, rounds_{std::move(rounds)} {}
  ~late_log() override {
    std::erase_if(*rounds_, [this](const waiting& one) { return one.owner == this; });
  }

  void append(const sealed_round& round, completion done) override {
    rounds_->push_back({this, &store_, &round, std::move(done)});
  }
  store_status resume() override { return store_.resume(); }

private:
  partition_store& store_;
  std::shared_ptr<std::vector<waiting>> rounds_;
};

std::unique_ptr<round_log> late_logs::make(partition_store& store) {
  return std::make_unique<late_log>(store, waiting_);
}

void late_logs::bring_back(std::size_t which) {
  const auto one = std::move((*waiting_)[which]);
  waiting_->erase(waiting_->begin() + static_cast<std::ptrdiff_t>(which));
  one.done(one.store->apply(*one.round, partition_store::durability::synced));
}

} // namespace vicket::sim
