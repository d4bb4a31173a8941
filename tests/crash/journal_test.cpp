#include "tests/crash/journal.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vicket::crash {

namespace {

class scratch_folder {
public:
  scratch_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "vicket-journal-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] std::filesystem::path file() const { return path_ / "journal"; }

private:
  std::filesystem::path path_;
};

} // namespace

TEST_CASE("a feeder's journal is read as it was written") {
  const scratch_folder folder;
  const event_id id{{1, 2, 3}};
  {
    journal notes{folder.file()};
    notes.note(send_record{7, {1'000}});
    notes.note(answer_record{7, accepted{id, true}, {1'001}});
    notes.note(answer_record{8, refusal{errc::overloaded, "a \"detail\"\n"}, {1'002}});
  }
  std::vector<feeder_record> read;
  read_feeder_journal(folder.file(), [&](const feeder_record& one) { read.push_back(one); });
  REQUIRE(read.size() == 3);
  CHECK(std::get<send_record>(read[0]).serial == 7);
  CHECK(std::get<accepted>(std::get<answer_record>(read[1]).result) == accepted{id, true});
  CHECK(std::get<refusal>(std::get<answer_record>(read[2]).result) ==
        refusal{errc::overloaded, "a \"detail\"\n"});
}

TEST_CASE("changes and looks are read as they were written") {
  const scratch_folder folder;
  {
    journal notes{folder.file()};
    notes.note(change_record{"flaky", 7, true, {1'000}});
    notes.note(change_answer_record{"flaky", 7, errc::connector_busy, {1'001}});
    notes.note(change_answer_record{"flaky", 8, std::nullopt, {1'002}});
    notes.note(look_record{{1'003}, {1'004}, {{"flaky", 8, true}, {"steady", std::nullopt, false}}});
  }
  std::vector<feeder_record> read;
  read_feeder_journal(folder.file(), [&](const feeder_record& one) { read.push_back(one); });
  REQUIRE(read.size() == 4);
  CHECK(std::get<change_record>(read[0]).version == 7);
  CHECK(std::get<change_record>(read[0]).remove);
  CHECK(std::get<change_answer_record>(read[1]).refused == errc::connector_busy);
  CHECK_FALSE(std::get<change_answer_record>(read[2]).refused);
  const auto& look = std::get<look_record>(read[3]);
  CHECK(look.asked_at.value == 1'003);
  REQUIRE(look.all.size() == 2);
  CHECK(look.all[0].version == 8);
  CHECK(look.all[0].as_put);
  CHECK_FALSE(look.all[1].version);
}

TEST_CASE("a follower's journal is read as it was written") {
  const scratch_folder folder;
  {
    journal notes{folder.file()};
    notes.note(follower_record{follower_record::kind::start, "c0", {}, {}, 0});
    notes.note(follower_record{follower_record::kind::entry, "c1", "flaky", "an-id", 3});
    notes.note(follower_record{follower_record::kind::gap, "c2", {}, {}, 0});
    notes.note(follower_record{follower_record::kind::page, "c3", {}, {}, 0});
  }
  std::vector<follower_record> read;
  read_follower_journal(folder.file(), [&](follower_record one) { read.push_back(std::move(one)); });
  REQUIRE(read.size() == 4);
  CHECK(read[0].what == follower_record::kind::start);
  CHECK(read[1].connector == "flaky");
  CHECK(read[1].attempt == 3);
  CHECK(read[2].what == follower_record::kind::gap);
  CHECK(read[3].cursor == "c3");
}

TEST_CASE("a receiver's journal puts a request and its end together") {
  const scratch_folder folder;
  request_record request;
  request.connector = "flaky";
  request.id = "an-id";
  request.body = "{\"text\":\"ü\\u0001\"}";
  request.body_sha256 = "digest";
  request.standard_signature_good = true;
  request.connection_accepted_at = {5};
  request.request_on_connection = 3;
  request.arrived_at = {6};
  request.answer = {reply::throttled, 429, 0, 1};
  {
    journal notes{folder.file()};
    notes.note_arrival(1, request);
    notes.note_arrival(2, request);
    request.written = true;
    request.finished_at = {9};
    notes.note_end(2, request);
  }
  std::vector<request_record> read;
  read_receiver_journal(folder.file(), [&](const request_record& one) { read.push_back(one); });
  REQUIRE(read.size() == 2);
  CHECK(read[0].finished);
  CHECK(read[0].written);
  CHECK(read[0].finished_at.value == 9);
  CHECK(read[0].body == request.body);
  CHECK(read[0].answer.kind == reply::throttled);
  CHECK(read[0].answer.retry_after_s == 1);
  CHECK(read[0].request_on_connection == 3);
  CHECK_FALSE(read[0].vicket_signature_good);
  CHECK(read[0].standard_signature_good);
  CHECK_FALSE(read[1].finished);
}

TEST_CASE("a line that is none is not passed over") {
  const scratch_folder folder;
  std::ofstream{folder.file()} << "{\"sent\":1,\"at\":2}\n{\"sent\":\n";
  CHECK_THROWS_AS(read_feeder_journal(folder.file(), [](const feeder_record&) {}), std::runtime_error);
}

} // namespace vicket::crash
