#include "cluster/postgres_members.hpp"

#include "cluster/pg_line.hpp"
#include "cluster/schema.hpp"
#include "cluster/while_alive.hpp"
#include "policy/assertion.hpp"
#include "policy/copies.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket {

namespace {

using internal::pg_answer;
using internal::pg_int4;
using internal::pg_int8;
using internal::pg_integer;
using internal::pg_line;
using internal::pg_session;
using internal::post_while_alive;

// A server's timeline is in the names of the files that it writes its log to; what its control file says comes later.
constexpr std::string_view enter_text =
    "INSERT INTO $.members AS old "
    "(node, incarnation, life, state, zone, addresses, protocol_from, protocol_to, timeline, wrong, "
    "looked_at, unreached) "
    "VALUES ($1::text, 1, $2::text, $3::text, $4::text, $5::text, $6::int4, $7::int4, "
    "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int8, $8::text, $9::int8, "
    "$10::text) "
    "ON CONFLICT (node) DO UPDATE SET "
    "incarnation = old.incarnation + CASE WHEN old.life = excluded.life THEN 0 ELSE 1 END, "
    "beats = CASE WHEN old.life = excluded.life THEN old.beats ELSE 0 END, life = excluded.life, "
    "state = excluded.state, zone = excluded.zone, addresses = excluded.addresses, "
    "protocol_from = excluded.protocol_from, protocol_to = excluded.protocol_to, "
    "timeline = excluded.timeline, wrong = excluded.wrong, looked_at = excluded.looked_at, "
    "unreached = excluded.unreached, seen = clock_timestamp() RETURNING incarnation";
constexpr std::string_view beat_text =
    "UPDATE $.members SET beats = beats + 1, seen = clock_timestamp(), state = $4::text, zone = $5::text, "
    "addresses = $6::text, "
    "protocol_from = $7::int4, protocol_to = $8::int4, wrong = $9::text, looked_at = $10::int8, "
    "unreached = $11::text, "
    "timeline = ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int8 "
    "WHERE node = $1::text AND life = $2::text AND incarnation = $3::int8";
constexpr std::string_view list_text =
    "SELECT node, incarnation, state, zone, addresses, protocol_from, "
    "protocol_to, timeline, wrong, beats, life, looked_at, unreached, drained "
    "FROM $.members ORDER BY node COLLATE \"C\"";

constexpr std::string_view copies_text =
    "SELECT partition, node, synced_to, complete FROM $.copies ORDER BY partition, node COLLATE \"C\"";
constexpr std::string_view tell_text =
    "WITH told AS (SELECT * FROM unnest($2::int4[], $3::int8[], $4::int4[], $5::int4[]) "
    "AS told (partition, synced_to, complete, notes_itself)), "
    "noted AS (INSERT INTO $.copies (partition, node, synced_to, complete) "
    "SELECT partition, $1::text, synced_to, complete <> 0 FROM told WHERE notes_itself <> 0 "
    "ON CONFLICT DO NOTHING) "
    "UPDATE $.copies AS c SET synced_to = told.synced_to, complete = told.complete <> 0 "
    "FROM told WHERE c.partition = told.partition AND c.node = $1";
// $3: names, commas between them. An owner that was deposed says nothing more.
constexpr std::string_view note_text =
    "WITH owned AS (SELECT 1 FROM $.partitions WHERE partition = $1::int4 AND epoch = $2::int8), "
    "gone AS (DELETE FROM $.copies WHERE partition = $1 AND NOT node = ANY (string_to_array($3::text, ',')) "
    "AND EXISTS (SELECT FROM owned)) "
    "INSERT INTO $.copies (partition, node) SELECT $1, name FROM unnest(string_to_array($3, ',')) AS name "
    "WHERE EXISTS (SELECT FROM owned) ON CONFLICT DO NOTHING";

std::string text_in(std::optional<std::string>& column) {
  return column ? std::move(*column) : std::string{};
}

/// Names have no comma in them.
std::string text_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ",") + name;
  return text;
}

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

std::uint64_t number_in(const std::optional<std::string>& column) {
  return column ? static_cast<std::uint64_t>(pg_integer(*column)) : 0;
}

std::int32_t small_in(const std::optional<std::string>& column) {
  return column ? static_cast<std::int32_t>(pg_integer(*column)) : 0;
}

member_row row_of(std::vector<std::optional<std::string>>& columns) {
  member_row row;
  row.node = text_in(columns[0]);
  row.incarnation = number_in(columns[1]);
  row.state = text_in(columns[2]);
  row.zone = text_in(columns[3]);
  row.addresses = text_in(columns[4]);
  row.protocol_from = small_in(columns[5]);
  row.protocol_to = small_in(columns[6]);
  row.timeline = number_in(columns[7]);
  row.wrong = text_in(columns[8]);
  row.beats = number_in(columns[9]);
  row.life = text_in(columns[10]);
  row.looked_at = number_in(columns[11]);
  row.unreached = names_in(text_in(columns[12]));
  row.drained = columns[13] && columns[13]->front() != 0;
  return row;
}

} // namespace

struct postgres_members::rep {
  explicit rep(setup given) : with{std::move(given)}, line{session()} {
    VICKET_ASSERT(is_schema_name(with.schema));
  }

  [[nodiscard]] pg_session::setup session() const {
    const auto statement = [this](const char* name, std::string_view text) {
      return internal::pg_statement{name, in_schema(text, with.schema)};
    };
    pg_session::setup of{with.io,
                         with.conninfo,
                         {statement("enter", enter_text), statement("beat", beat_text),
                          statement("list", list_text), statement("copies", copies_text),
                          statement("tell", tell_text), statement("note", note_text)}};
    of.names = with.names;
    return of;
  }

  setup with;
  pg_line line;
};

postgres_members::postgres_members(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

postgres_members::~postgres_members() {
  const auto& io = *rep_->with.io;
  io.run([this] { rep_.reset(); }); // its session is the thread's
}

void postgres_members::leave_server() {
  rep_->line.leave();
}

void postgres_members::enter(const member& self, std::function<void(enter_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [self, done = std::move(done)](rep& it) {
    it.line.session().execute("enter",
                              {self.node, self.life, self.state, self.zone, self.addresses,
                               pg_int4(self.protocol_from), pg_int4(self.protocol_to), self.wrong,
                               pg_int8(static_cast<std::int64_t>(self.looked_at)), text_of(self.unreached)},
                              [done](pg_answer answer) {
                                enter_answer found;
                                found.acknowledged =
                                    answer.came_to == pg_answer::outcome::done && answer.rows.size() == 1;
                                found.detail = std::move(answer.detail);
                                if (found.acknowledged)
                                  found.incarnation = number_in(answer.rows[0][0]);
                                done(std::move(found));
                              });
  });
}

void postgres_members::beat(const member& self, std::uint64_t incarnation,
                            std::function<void(beat_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [self, incarnation, done = std::move(done)](rep& it) {
    it.line.session().execute(
        "beat",
        {self.node, self.life, pg_int8(static_cast<std::int64_t>(incarnation)), self.state, self.zone,
         self.addresses, pg_int4(self.protocol_from), pg_int4(self.protocol_to), self.wrong,
         pg_int8(static_cast<std::int64_t>(self.looked_at)), text_of(self.unreached)},
        [done](pg_answer answer) {
          beat_answer found;
          // Whether there is such a row is known also of a commit that waits for no standby.
          found.absent = answer.answered() && answer.changed == 0;
          found.acknowledged = answer.came_to == pg_answer::outcome::done && answer.changed == 1;
          found.detail = std::move(answer.detail);
          done(std::move(found));
        });
  });
}

void postgres_members::list(std::function<void(list_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [done = std::move(done)](rep& it) {
    it.line.session().execute("list", {}, [done](pg_answer answer) {
      list_answer found;
      found.answered = answer.answered();
      found.detail = std::move(answer.detail);
      for (auto& columns : answer.rows)
        found.rows.push_back(row_of(columns));
      done(std::move(found));
    });
  });
}

void postgres_members::list_copies(std::function<void(copies_answer)> done) {
  post_while_alive(*rep_->with.io, rep_, [done = std::move(done)](rep& it) {
    it.line.session().execute("copies", {}, [done](pg_answer answer) {
      copies_answer found;
      found.answered = answer.answered();
      for (auto& columns : answer.rows)
        found.rows.push_back({static_cast<std::uint32_t>(small_in(columns[0])), text_in(columns[1]),
                              number_in(columns[2]), columns[3] && columns[3]->front() != 0});
      done(std::move(found));
    });
  });
}

void postgres_members::tell_copies(const std::vector<copy>& copies) {
  if (copies.empty())
    return;
  std::vector<std::int32_t> partitions, complete, notes_itself;
  std::vector<std::int64_t> numbers;
  for (const auto& each : copies) {
    partitions.push_back(static_cast<std::int32_t>(each.partition));
    numbers.push_back(static_cast<std::int64_t>(each.synced_to));
    complete.push_back(each.complete ? 1 : 0);
    notes_itself.push_back(each.notes_itself ? 1 : 0);
  }
  post_while_alive(
      *rep_->with.io, rep_,
      [parameters = std::vector<std::string>{
           copies.front().node, internal::pg_int4_array(partitions), internal::pg_int8_array(numbers),
           internal::pg_int4_array(complete), internal::pg_int4_array(notes_itself)}](rep& it) {
        it.line.session().execute("tell", parameters, [](const pg_answer&) {});
      });
}

void postgres_members::note_copies(std::uint32_t partition, std::uint64_t epoch,
                                   const std::vector<std::string>& nodes) {
  post_while_alive(*rep_->with.io, rep_,
                   [parameters = std::vector<std::string>{pg_int4(static_cast<std::int32_t>(partition)),
                                                          pg_int8(static_cast<std::int64_t>(epoch)),
                                                          encode_copies(nodes)}](rep& it) {
                     it.line.session().execute("note", parameters, [](const pg_answer&) {});
                   });
}

} // namespace vicket
