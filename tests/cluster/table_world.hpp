#pragma once

#include "cluster/log_table.hpp"
#include "cluster/postgres_table.hpp"
#include "cluster/schema.hpp"
#include "net/io_thread.hpp"
#include "net/pause.hpp"
#include "tests/cluster/simulated_table.hpp"
#include "tests/support/postgres_instance.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicket::testing {

/// Where the conformance suite runs: two nodes' tables over one database, and how answers come.
class table_world {
public:
  table_world() = default;
  table_world(const table_world&) = delete;
  table_world& operator=(const table_world&) = delete;
  virtual ~table_world() = default;

  virtual log_table& table(std::size_t node = 0) = 0;
  /// Lets everything happen that is under way.
  virtual void settle() = 0;
  /// Calls it later on the tables' thread.
  virtual void wait(std::int64_t ms, std::function<void()> then) = 0;

  /// What a call of a table is answered: `ask<answer>([](auto done) { table.look(0, 1, done); })`.
  template <class Answer, class Call>
  Answer ask(Call call) {
    const auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    call([promise](Answer value) { promise->set_value(std::move(value)); });
    settle();
    if (answer.wait_for(std::chrono::seconds{60}) != std::future_status::ready)
      throw std::runtime_error{"no answer within a minute"};
    return answer.get();
  }
};

class simulated_world final : public table_world {
public:
  log_table& table(std::size_t node) override { return tables_[node]; }
  void settle() override { database_.let_all_happen(); }
  void wait(std::int64_t, std::function<void()> then) override { then(); }

private:
  simulated_database database_;
  simulated_table tables_[2]{simulated_table{database_}, simulated_table{database_}};
};

/// One server for all tests of a program; a schema for each test.
inline postgres_instance& the_postgres() {
  static postgres_instance instance;
  return instance;
}

class postgres_world final : public table_world {
public:
  postgres_world() {
    static int made = 0;
    schema_ = "vicket_" + std::to_string(++made);
    the_postgres().run(schema_statements(schema_));
    for (auto& table : tables_)
      table = std::make_unique<postgres_table>(
          postgres_table::setup{&io_, the_postgres().conninfo(), schema_, 2});
  }

  log_table& table(std::size_t node) override { return *tables_[node]; }
  void settle() override {}
  void wait(std::int64_t ms, std::function<void()> then) override {
    io_.run([&] {
      auto& pause = pauses_.emplace_back(std::make_unique<internal::pause>(io_));
      pause->start(std::chrono::milliseconds{ms}, std::move(then));
    });
  }
  [[nodiscard]] const std::string& schema() const { return schema_; }

private:
  std::string schema_;
  internal::io_thread io_{[](const std::string&) {}};
  std::vector<std::unique_ptr<internal::pause>> pauses_;
  std::unique_ptr<postgres_table> tables_[2];
};

} // namespace vicket::testing
