#include "actors/history_page.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace vicket {

history_page::history_page(history_actor::pointer self, const std::vector<partition_reader_actor>& readers,
                           std::vector<wanted_event> wanted, std::size_t max_bytes, done finished)
    : self_{self}, readers_{readers}, wanted_{std::move(wanted)}, max_bytes_{max_bytes}, finished_{std::move(
                                                                                             finished)} {}

void history_page::read(history_actor::pointer self, const std::vector<partition_reader_actor>& readers,
                        std::vector<wanted_event> wanted, std::size_t max_bytes, done finished) {
  go_on(std::shared_ptr<history_page>{
      new history_page{self, readers, std::move(wanted), max_bytes, std::move(finished)}});
}

/// Asks for all that follows in one partition at once.
void history_page::go_on(const std::shared_ptr<history_page>& page) {
  const auto& wanted = page->wanted_;
  if (page->full_ || page->result_.seen == wanted.size()) {
    page->finish({});
    return;
  }
  const auto partition = wanted[page->result_.seen].partition;
  read_partition_histories request;
  request.max_bytes = page->max_bytes_ - std::min(page->max_bytes_, page->bytes_);
  request.at_least_one = page->result_.events.empty();
  for (auto at = page->result_.seen; at < wanted.size() && wanted[at].partition == partition; ++at)
    request.wanted.push_back(wanted[at].what);
  const auto asked = request.wanted.size();
  page->self_->request(page->readers_[partition], caf::infinite, std::move(request))
      .then(
          [page, asked](partition_histories& part) {
            page->full_ = part.histories.size() < asked;
            page->take(std::move(part));
            go_on(page);
          },
          [page](caf::error& why) { page->finish(std::move(why)); });
}

void history_page::take(partition_histories part) {
  for (auto& one : part.histories) {
    ++result_.seen;
    if (!one)
      continue;
    VICKET_ASSERT(!result_.left);
    bytes_ += page_bytes_of(one->history);
    result_.left = one->left;
    full_ = full_ || one->left;
    result_.events.push_back(std::move(one->history));
  }
}

void history_page::finish(caf::error why) {
  std::exchange(finished_, {})(std::move(result_), std::move(why));
}

} // namespace vicket
