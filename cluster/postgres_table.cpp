#include "cluster/postgres_table.hpp"

#include "cluster/pg_line.hpp"
#include "cluster/schema.hpp"
#include "cluster/while_alive.hpp"
#include "policy/assertion.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket {

namespace {

using internal::pg_answer;
using internal::pg_int2;
using internal::pg_int4;
using internal::pg_int8;
using internal::pg_integer;
using internal::pg_line;
using internal::pg_session;
using internal::pg_statement;
using internal::post_while_alive;

// The condition of an append is part of the statement. The partition's row is looked at, not locked: a halt that is being
// committed lets through what was under way, which is in the log then, like everything that came before the halt.
constexpr std::string_view append_text =
    "INSERT INTO $.rounds (partition, number, epoch, kind, digest, durable_to, body) "
    "SELECT $1::int4, $2::int8, $3::int8, $4::int2, $5::bytea, $6::int8, $7::bytea "
    "WHERE EXISTS (SELECT FROM $.rounds WHERE partition = $1 AND number = $2 - 1 AND digest = $8::bytea) "
    "AND NOT EXISTS (SELECT FROM $.partitions WHERE partition = $1 AND halted IS NOT NULL)";
constexpr std::string_view begin_text =
    "INSERT INTO $.rounds (partition, number, epoch, kind, digest, durable_to, body) "
    "SELECT $1::int4, $2::int8, $3::int8, $4::int2, $5::bytea, $6::int8, $7::bytea "
    "WHERE NOT EXISTS (SELECT FROM $.rounds WHERE partition = $1) "
    "AND NOT EXISTS (SELECT FROM $.partitions WHERE partition = $1 AND halted IS NOT NULL)";
// One statement, so that what it finds was there at one moment. Its last column commits a record in the server's log, behind
// the commits of all that it saw, and nothing else; a standby refuses it.
constexpr std::string_view look_text =
    "SELECT (SELECT digest FROM $.rounds WHERE partition = $1::int4 AND number = $2::int8 - 1), "
    "(SELECT digest FROM $.rounds WHERE partition = $1 AND number = $2), "
    "(SELECT max(number) FROM $.rounds WHERE partition = $1), "
    "(SELECT trimmed_to FROM $.partitions WHERE partition = $1), "
    "(SELECT halted FROM $.partitions WHERE partition = $1), "
    "pg_logical_emit_message(true, 'vicket', '')";
// Of several partitions: $1 their numbers, $2 the first number that is wanted of each, $3 bytes of bodies for each.
constexpr std::string_view ends_text =
    "SELECT (SELECT max(number) FROM $.rounds WHERE partition = w.partition), "
    "(SELECT trimmed_to FROM $.partitions WHERE partition = w.partition), "
    "(SELECT digest FROM $.rounds WHERE partition = w.partition AND number = w.first - 1), "
    "(SELECT halted FROM $.partitions WHERE partition = w.partition) "
    "FROM unnest($1::int4[], $2::int8[]) WITH ORDINALITY AS w (partition, first, place) ORDER BY w.place";
// The sum does not count the first row, which always belongs to the page.
constexpr std::string_view read_text =
    "SELECT w.place, r.number, r.epoch, r.kind, r.digest, r.durable_to, r.body "
    "FROM unnest($1::int4[], $2::int8[]) WITH ORDINALITY AS w (partition, first, place), LATERAL ("
    "SELECT *, sum(octet_length(body)) OVER (ORDER BY number) - octet_length(body) AS bytes_before FROM ("
    "SELECT * FROM $.rounds WHERE partition = w.partition AND number >= w.first ORDER BY number LIMIT 1000) "
    "AS first_ones) AS r "
    "WHERE r.bytes_before <= $3::int8 OR r.number = w.first ORDER BY w.place, r.number";
// Of several partitions: $1 their numbers, $2 a row of each whose digest is asked for.
constexpr std::string_view glance_text =
    "SELECT e.number, e.durable_to, "
    "(SELECT digest FROM $.rounds WHERE partition = w.partition AND number = e.durable_to), "
    "(SELECT digest FROM $.rounds WHERE partition = w.partition AND number = w.known), "
    "p.trimmed_to, p.owner, p.epoch, p.halted "
    "FROM unnest($1::int4[], $2::int8[]) WITH ORDINALITY AS w (partition, known, place) "
    "LEFT JOIN $.partitions p ON p.partition = w.partition "
    "LEFT JOIN LATERAL (SELECT number, durable_to FROM $.rounds WHERE partition = w.partition "
    "ORDER BY number DESC LIMIT 1) AS e ON true ORDER BY w.place";
// First it is said that they are gone, then they go: who finds nothing finds out why.
constexpr std::string_view mark_text = "UPDATE $.partitions SET trimmed_to = greatest(trimmed_to, $2::int8) "
                                       "WHERE partition = $1::int4 AND epoch = $3::int8";
constexpr std::string_view halt_text =
    "INSERT INTO $.partitions AS old (partition, halted) VALUES ($1::int4, $2::text) "
    "ON CONFLICT (partition) DO UPDATE SET halted = coalesce(old.halted, excluded.halted)";
constexpr std::string_view owner_text =
    "INSERT INTO $.partitions AS old (partition, owner, epoch) VALUES ($1::int4, $2::text, $3::int8) "
    "ON CONFLICT (partition) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch "
    "WHERE old.epoch < excluded.epoch";
constexpr std::string_view trim_text =
    "DELETE FROM $.rounds WHERE partition = $1::int4 AND number IN ("
    "SELECT number FROM $.rounds WHERE partition = $1 AND number < $2::int8 ORDER BY number LIMIT $3::int8)";

std::string bytes_of(const record_digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::optional<record_digest> digest_in(const std::optional<std::string>& bytes) {
  record_digest digest{};
  if (!bytes || bytes->size() != digest.size())
    return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), reinterpret_cast<char*>(digest.data()));
  return digest;
}

std::uint64_t number_in(const std::optional<std::string>& bytes) {
  return bytes ? static_cast<std::uint64_t>(pg_integer(*bytes)) : 0;
}

std::string number_bytes(std::uint64_t number) {
  return pg_int8(static_cast<std::int64_t>(number));
}

std::string partition_bytes(std::uint32_t partition) {
  return pg_int4(static_cast<std::int32_t>(partition));
}

log_table::append_answer append_answer_of(pg_answer& answer) {
  switch (answer.came_to) {
  case pg_answer::outcome::done:
    return {answer.changed == 1 ? append_reply::stored : append_reply::absent, {}};
  case pg_answer::outcome::warned:
    // Of an insert that inserted nothing a warning says nothing.
    return {answer.changed == 1 ? append_reply::unknown : append_reply::absent, std::move(answer.detail)};
  case pg_answer::outcome::refused:
    return {answer.sqlstate == "23505" ? append_reply::absent : append_reply::refused,
            std::move(answer.detail)};
  case pg_answer::outcome::not_sent:
    return {append_reply::refused, std::move(answer.detail)};
  case pg_answer::outcome::unknown:
    break;
  }
  return {append_reply::unknown, std::move(answer.detail)};
}

} // namespace

struct postgres_table::rep : std::enable_shared_from_this<rep> {
  explicit rep(setup given)
      : with{std::move(given)}, reading{line({statement("read", read_text), statement("ends", ends_text),
                                              statement("glance", glance_text)})},
        other{line({statement("look", look_text), statement("mark", mark_text), statement("trim", trim_text),
                    statement("halt", halt_text), statement("owner", owner_text)})} {
    VICKET_ASSERT(is_schema_name(with.schema) && with.append_sessions > 0);
    for (std::size_t i = 0; i < with.append_sessions; ++i)
      appending.emplace_back(line({statement("append", append_text), statement("begin", begin_text)}));
  }

  [[nodiscard]] pg_statement statement(std::string name, std::string_view text) const {
    return {std::move(name), in_schema(text, with.schema)};
  }
  [[nodiscard]] pg_session::setup line(std::vector<pg_statement> statements) const {
    pg_session::setup session{with.io, with.conninfo, std::move(statements)};
    session.names = with.names;
    return session;
  }

  /// `afresh`: another one than the partition's last append went over. Where partitions share one, the first that needs
  /// another makes it for all of them.
  pg_session& append_session(std::uint32_t partition, bool afresh) {
    auto& line = appending[partition % appending.size()];
    auto& used = appended_over[partition];
    if (afresh && used == line.made() && line.is_open())
      line.renew();
    auto& session = line.session();
    used = line.made();
    return session;
  }

  pg_session& other_session() { return other.session(); }

  void append(const log_row& row, const record_digest& before, bool afresh,
              std::function<void(append_answer)> done) {
    std::vector<std::string> values{partition_bytes(row.head.partition),
                                    number_bytes(row.head.number),
                                    number_bytes(row.head.epoch),
                                    pg_int2(static_cast<std::int16_t>(row.head.kind)),
                                    bytes_of(row.digest),
                                    number_bytes(row.head.durable_to),
                                    row.body};
    const auto begins = before == record_digest{};
    if (!begins)
      values.push_back(bytes_of(before));
    append_session(row.head.partition, afresh)
        .execute(begins ? "begin" : "append", std::move(values),
                 [done = std::move(done)](pg_answer answer) { done(append_answer_of(answer)); });
  }

  // -- reads: all that are asked for at once are one statement, and a second one where there is anything new ----------

  struct wanted_read {
    std::uint32_t partition = 0;
    std::uint64_t from = 0;
    std::size_t max_bytes = 0;
    std::function<void(read_answer)> done;
    read_answer page;
  };
  using wanted_reads = std::vector<wanted_read>;

  void read(wanted_read one) {
    wanted.push_back(std::move(one));
    if (wanted.size() > 1)
      return;
    post_while_alive(*with.io, shared_from_this(), [](rep& self) { // behind those that were asked for with it
      self.read_ends(std::make_shared<wanted_reads>(std::exchange(self.wanted, {})));
    });
  }

  template <class Wanted>
  static std::vector<std::string> places_of(const std::vector<Wanted>& all) {
    std::vector<std::int32_t> partitions;
    std::vector<std::int64_t> numbers;
    for (const auto& each : all) {
      partitions.push_back(static_cast<std::int32_t>(each.partition));
      numbers.push_back(static_cast<std::int64_t>(each.from));
    }
    return {internal::pg_int4_array(partitions), internal::pg_int8_array(numbers)};
  }

  /// The ends first: what is appended meanwhile is in the page and not counted, rather than the other way round.
  void read_ends(const std::shared_ptr<wanted_reads>& all) {
    reading.session().execute(
        "ends", places_of(*all),
        internal::while_alive(weak_from_this(), [all](rep& self, const pg_answer& answer) {
          const auto more = std::make_shared<wanted_reads>();
          for (std::size_t i = 0; i < all->size(); ++i) {
            auto& each = (*all)[i];
            each.page.detail = answer.detail;
            each.page.answered = answer.answered() && answer.rows.size() == all->size();
            if (each.page.answered) {
              each.page.last = number_in(answer.rows[i][0]);
              each.page.trimmed_to = number_in(answer.rows[i][1]);
              each.page.before = digest_in(answer.rows[i][2]);
              each.page.halted = answer.rows[i][3].value_or("");
            }
            if (each.page.answered && each.page.last >= each.from)
              more->push_back(std::move(each));
            else
              each.done(std::move(each.page));
          }
          if (!more->empty())
            self.read_rows(more);
        }));
  }

  void read_rows(const std::shared_ptr<wanted_reads>& all) {
    auto values = places_of(*all);
    const auto share = all->front().max_bytes / all->size();
    values.push_back(pg_int8(static_cast<std::int64_t>(share)));
    reading.session().execute("read", std::move(values), [all](pg_answer answer) {
      for (auto& each : *all) {
        each.page.answered = answer.answered();
        each.page.detail = answer.detail;
      }
      for (auto& columns : answer.rows) {
        auto& each = (*all)[static_cast<std::size_t>(number_in(columns[0]) - 1)];
        const auto digest = digest_in(columns[4]);
        if (!digest || !columns[6]) {
          each.page.answered = false;
          each.page.detail = "a row of the log has no digest of 32 bytes";
          continue;
        }
        each.page.rows.push_back({{each.partition, number_in(columns[1]), number_in(columns[2]),
                                   static_cast<record_kind>(number_in(columns[3])), number_in(columns[5])},
                                  *digest,
                                  std::move(*columns[6])});
        each.page.last = std::max(each.page.last, each.page.rows.back().head.number);
      }
      for (auto& each : *all)
        each.done(std::move(each.page));
    });
  }

  // -- glances: likewise -----------------------------------------------------------------------------------------------

  struct wanted_glance {
    std::uint32_t partition = 0;
    std::uint64_t from = 0; ///< the row that is known
    std::function<void(glance_answer)> done;
  };

  void glance(wanted_glance one) {
    glances.push_back(std::move(one));
    if (glances.size() > 1)
      return;
    post_while_alive(*with.io, shared_from_this(), [](rep& self) {
      const auto all = std::make_shared<std::vector<wanted_glance>>(std::exchange(self.glances, {}));
      self.reading.session().execute("glance", places_of(*all), [all](const pg_answer& answer) {
        for (std::size_t i = 0; i < all->size(); ++i)
          (*all)[i].done(glance_answer_of(answer, i, all->size()));
      });
    });
  }

  static glance_answer glance_answer_of(const pg_answer& answer, std::size_t place, std::size_t count) {
    glance_answer found;
    found.detail = answer.detail;
    found.answered = answer.answered() && answer.rows.size() == count;
    if (!found.answered)
      return found;
    const auto& row = answer.rows[place];
    found.last = number_in(row[0]);
    found.durable_to = number_in(row[1]);
    found.durable = digest_in(row[2]);
    found.known = digest_in(row[3]);
    found.trimmed_to = number_in(row[4]);
    found.owner = row[5].value_or(std::string{});
    found.epoch = number_in(row[6]);
    found.halted = row[7].value_or(std::string{});
    return found;
  }

  void trim_on(std::uint32_t partition, std::uint64_t below, std::function<void(bool)> done) {
    other_session().execute("trim", {partition_bytes(partition), number_bytes(below), pg_int8(trim_rows)},
                            [done = std::move(done)](pg_answer answer) {
                              done(answer.answered() &&
                                   answer.changed < static_cast<std::uint64_t>(trim_rows));
                            });
  }

  setup with;
  std::vector<pg_line> appending;
  std::unordered_map<std::uint32_t, std::uint64_t>
      appended_over; ///< by partition: which of its line's sessions
  pg_line reading;   ///< nothing on it waits for a standby
  pg_line other;
  wanted_reads wanted;                ///< to be asked for together
  std::vector<wanted_glance> glances; ///< likewise
};

postgres_table::postgres_table(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

postgres_table::~postgres_table() {
  const auto& io = *rep_->with.io;
  io.run([this] { rep_.reset(); }); // its sessions are the thread's
}

bool postgres_table::look_after() {
  if (!rep_->reading.give_up_if_it_hangs())
    return false;
  rep_->other.leave();
  for (auto& line : rep_->appending)
    line.leave();
  return true;
}

void postgres_table::append(const log_row& row, const record_digest& before, bool afresh,
                            std::function<void(append_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [row, before, afresh, done = std::move(done)](rep& self) {
    self.append(row, before, afresh, done);
  });
}

void postgres_table::look(std::uint32_t partition, std::uint64_t number,
                          std::function<void(look_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [partition, number, done = std::move(done)](rep& self) {
    self.other_session().execute(
        "look", {partition_bytes(partition), number_bytes(number)}, [done](pg_answer answer) {
          look_answer found;
          found.answered = answer.came_to == pg_answer::outcome::done && answer.rows.size() == 1;
          found.detail = std::move(answer.detail);
          if (found.answered) {
            const auto& row = answer.rows[0];
            found.seen = {digest_in(row[0]), digest_in(row[1]), number_in(row[2]), number_in(row[3]),
                          row[4].has_value()};
          }
          done(std::move(found));
        });
  });
}

void postgres_table::read(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes,
                          std::function<void(read_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [partition, from, max_bytes, done = std::move(done)](rep& self) {
    self.read({partition, from, max_bytes, done, {}});
  });
}

void postgres_table::glance(std::uint32_t partition, std::uint64_t known,
                            std::function<void(glance_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [partition, known, done = std::move(done)](rep& self) {
    self.glance({partition, known, done});
  });
}

void postgres_table::halt(std::uint32_t partition, const std::string& why, std::function<void(bool)> done) {
  post_while_alive(*rep_->with.io, rep_, [partition, why, done = std::move(done)](rep& self) {
    self.other_session().execute("halt", {partition_bytes(partition), why}, [done](const pg_answer& answer) {
      done(answer.came_to == pg_answer::outcome::done);
    });
  });
}

void postgres_table::note_owner(std::uint32_t partition, const std::string& node, std::uint64_t epoch,
                                std::function<void(bool)> done) {
  post_while_alive(*rep_->with.io, rep_, [partition, node, epoch, done = std::move(done)](rep& self) {
    self.other_session().execute(
        "owner", {partition_bytes(partition), node, number_bytes(epoch)},
        [done](const pg_answer& answer) { done(answer.came_to == pg_answer::outcome::done); });
  });
}

void postgres_table::trim(std::uint32_t partition, std::uint64_t epoch, std::uint64_t below,
                          std::function<void(bool)> done) {
  post_while_alive(*rep_->with.io, rep_, [=, done = std::move(done)](rep& self) {
    self.other_session().execute("mark",
                                 {partition_bytes(partition), number_bytes(below), number_bytes(epoch)},
                                 [&self, partition, below, done](const pg_answer& answer) {
                                   if (answer.answered() && answer.changed == 1)
                                     self.trim_on(partition, below, done);
                                   else
                                     done(false);
                                 });
  });
}

} // namespace vicket
