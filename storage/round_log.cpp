#include "storage/round_log.hpp"

#include "storage/partition_store.hpp"

namespace vicket {

void local_log::append(const sealed_round& round, completion done) {
  done(store_.apply(round, partition_store::durability::synced));
}

store_status local_log::resume() {
  return store_.resume();
}

} // namespace vicket
