// Two nodes append to one partition, and everything that a database and a network can do to them is tried, in every order.

#include "cluster/record_appender.hpp"
#include "tests/cluster/simulated_table.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

using fate = simulated_database::fate;
using step = append_settling::step;

/// All sequences of choices, one after the other: each run asks for its choices, and those after the given depth are 0.
class all_choices {
public:
  explicit all_choices(std::size_t depth) : depth_{depth} {}

  std::size_t choose(std::size_t of) {
    if (at_ >= depth_)
      return 0;
    if (at_ == chosen_.size()) {
      chosen_.push_back(0);
      of_.push_back(of);
    }
    return chosen_[at_++];
  }

  /// False: all were tried.
  bool next() {
    at_ = 0;
    while (!chosen_.empty() && chosen_.back() + 1 == of_.back()) {
      chosen_.pop_back();
      of_.pop_back();
    }
    if (chosen_.empty())
      return false;
    ++chosen_.back();
    return true;
  }

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto each : chosen_)
      all += std::to_string(each) + ' ';
    return all;
  }

private:
  std::size_t depth_;
  std::size_t at_ = 0;
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> of_;
};

constexpr std::uint32_t partition = 0;

/// A node that appends records until one is not durable.
struct node {
  node(simulated_database& database, std::string its_name, const log_row& genesis)
      : name{std::move(its_name)}, table{database}, appender{{&table,
                                                              [](std::int64_t, auto then) { then(); }}},
        last{genesis.digest}, number{genesis.head.number} {}

  void append_next() {
    ++number;
    row = log_row{{partition, number, 1, record_kind::round, number - 1}, {}, name + std::to_string(number)};
    row.digest = digest_of(last, row.head, row.body);
    appender.append(row, last, [this](const record_appender::settled& settled) {
      how = settled.how;
      if (how == step::durable) {
        durable.push_back(row);
        last = row.digest;
      } else {
        not_there = row;
      }
    });
  }

  std::string name;
  simulated_table table;
  record_appender appender;
  record_digest last;
  std::uint64_t number;
  log_row row;
  std::optional<step> how;
  std::vector<log_row> durable;
  std::optional<log_row> not_there;
};

struct outcome {
  std::set<step> seen;
  std::string violation;
};

enum class disaster : std::uint8_t { failover, loss };

outcome run(all_choices& choices, int records, disaster what) {
  constexpr std::array fates{fate::done, fate::refused, fate::cut_before, fate::cut_after,
                             fate::cut_and_late};
  simulated_database database;
  log_row genesis{{partition, 1, 1, record_kind::genesis, 0}, {}, "genesis"};
  genesis.digest = digest_of({}, genesis.head, genesis.body);
  simulated_table maker{database};
  maker.append(genesis, {}, false, [](const auto&) {});
  database.let_all_happen();

  node nodes[2] = {{database, "a", genesis}, {database, "b", genesis}};
  outcome result;
  auto has_happened = false;
  nodes[0].append_next();
  nodes[1].append_next();
  for (auto steps = 0; database.under_way() > 0; ++steps) {
    if (steps > 200) {
      result.violation = "it comes to no end";
      return result;
    }
    // One of the calls has one of the fates; or, once, the disaster happens.
    const auto calls = std::min<std::size_t>(database.under_way(), 3);
    const auto choice = choices.choose(calls * fates.size() + (has_happened ? 0 : 1));
    if (choice == calls * fates.size()) {
      what == disaster::failover ? database.fail_over() : database.go_back();
      has_happened = true;
    } else {
      database.let_happen(choice / fates.size(), fates[choice % fates.size()]);
    }
    for (auto& each : nodes)
      if (each.how) {
        result.seen.insert(*each.how);
        const auto go_on =
            *each.how == step::durable && each.durable.size() < static_cast<std::size_t>(records);
        each.how.reset();
        if (go_on)
          each.append_next();
      }
  }
  // Even if the server goes now, what is durable is there; and what was said not to be there did not come late.
  database.fail_over();
  const auto& rows = database.rows(partition);
  for (const auto& each : nodes) {
    if (has_happened && what == disaster::loss)
      break; // then only the order of what is left can be right
    for (const auto& row : each.durable)
      if (const auto found = rows.find(row.head.number);
          found == rows.end() || found->second.digest != row.digest)
        result.violation =
            each.name + std::to_string(row.head.number) + " was said to be durable, and is not there";
    if (each.not_there)
      for (const auto& [number, row] : rows)
        if (row.digest == each.not_there->digest)
          result.violation = each.name + std::to_string(number) + " was said not to be there, and is";
  }
  for (const auto& [number, row] : rows)
    if (number > 1 && (!rows.contains(number - 1) ||
                       digest_of(rows.at(number - 1).digest, row.head, row.body) != row.digest))
      result.violation = std::to_string(number) + " follows another record than is there";
  return result;
}

std::set<step> try_all(disaster what) {
  all_choices choices{5};
  std::set<step> seen;
  auto runs = 0;
  do {
    const auto one = run(choices, 2, what);
    seen.insert(one.seen.begin(), one.seen.end());
    ++runs;
    if (!one.violation.empty()) {
      INFO("choices: " << choices.text());
      FAIL(one.violation);
    }
  } while (choices.next());
  CHECK(runs > 50'000);
  return seen;
}

} // namespace

TEST_CASE("whatever happens to appends, their answers are true", "[exhaustion]") {
  CHECK(try_all(disaster::failover) == std::set{step::durable, step::refused, step::lost});
}

TEST_CASE("a database that loses what it acknowledged is found out, and nothing is put behind the loss",
          "[exhaustion]") {
  CHECK(try_all(disaster::loss) == std::set{step::durable, step::refused, step::lost, step::broken});
}
