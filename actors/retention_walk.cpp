#include "actors/retention_walk.hpp"

#include <utility>

namespace vicket {

retention_walk::retention_walk(history_reader_actor::pointer self, setup with)
    : self_{self}, with_{std::move(with)} {}

void retention_walk::look() {
  const auto now = with_.clock->now();
  if (under_way_ || done_ == with_.rule.edge_at(now))
    return;
  under_way_ = step{};
  under_way_->edge_time = with_.rule.edge_at(now);
  under_way_->settled_since = with_.rule.settled_since(now);
  under_way_->reads_refused = with_.store->reads_refused();
  under_way_->edge = with_.store->first_position_since(under_way_->edge_time);
  self_->request(with_.persistence, caf::infinite, prepare_edge{under_way_->edge})
      .then(
          [this] {
            under_way_->kept = with_.store->kept_below(under_way_->edge, under_way_->settled_since);
            carry(0);
          },
          [this](const caf::error&) { end(false); });
}

void retention_walk::carry(log_sequence from) {
  const auto& now = *under_way_;
  auto page = with_.store->read_carry(now.kept, now.edge, from, max_page_bytes);
  carry_over request{std::move(page.carried), std::move(page.expired),
                     with_.store->late_before(now.settled_since, max_page_late)};
  if (!all_was_read()) {
    end(false);
    return;
  }
  const bool late_left = request.late.size() == max_page_late;
  if (request.carried.empty() && request.expired.empty() && request.late.empty() && !page.next) {
    move_edge();
    return;
  }
  const auto past_all = now.kept.empty() ? now.edge : std::max(now.edge, now.kept.back() + 1);
  self_->request(with_.persistence, caf::infinite, std::move(request))
      .then(
          [this, next = page.next, late_left, past_all] {
            if (next)
              carry(*next);
            else if (late_left)
              carry(past_all);
            else
              move_edge();
          },
          [this](const caf::error&) { end(false); });
}

bool retention_walk::all_was_read() const {
  return with_.store->health().ok() && with_.store->reads_refused() == under_way_->reads_refused;
}

void retention_walk::move_edge() {
  const auto lost = with_.store->last_attempt_below(under_way_->edge);
  if (!all_was_read()) {
    end(false);
    return;
  }
  self_->request(with_.persistence, caf::infinite, vicket::move_edge{under_way_->edge, lost})
      .then([this] { end(true); }, [this](const caf::error&) { end(false); });
}

/// A step that could not be made, because the disk is full, say, is begun again at the next look.
void retention_walk::end(bool done) {
  if (done)
    done_ = under_way_->edge_time;
  under_way_.reset();
}

} // namespace vicket
