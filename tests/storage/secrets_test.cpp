// What a folder's files have of secrets: nothing in the clear, whatever was there before; and one key that opens it, at
// whatever moment a change of it is cut off.

#include "store_fixture.hpp"

#include "policy/connector_secrets.hpp"
#include "storage/column_families.hpp"
#include "storage/folder_secrets.hpp"
#include "storage/key_codec.hpp"
#include "storage/write_batch.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

using namespace vicket;
using namespace vicket::test;

namespace {

namespace fs = std::filesystem;

constexpr auto secret = "plain-secret-of-crm";
constexpr auto old_secret = "plain-secret-from-before"; // replaced by the one above
constexpr auto gone_secret = "plain-secret-of-the-deleted";
constexpr auto token = "Bearer plain-token-of-crm";
const std::vector<std::string_view> everything_secret{secret, old_secret, gone_secret, token};

std::string read(const fs::path& path) {
  auto file = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write(const fs::path& path, const std::string& text, ::mode_t mode = 0600) {
  std::ofstream{path, std::ios::binary} << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::string key_of(char fill) {
  return std::string(secret_box::key_bytes, fill);
}

connector old_connector(std::string id, std::string its_secret) {
  auto value = connector{};
  value.id = {std::move(id)};
  value.url = "https://hooks.example.com/vicket";
  value.secret = {std::move(its_secret)};
  value.headers = {{"X-Team", "support"}, {"authorization", token}};
  return value;
}

/// A partition as the format before had it, of a node that was killed: some of it is in tables, some in the log alone.
void make_old_partition(rocksdb::Env& env, const fs::path& folder) {
  auto families = std::vector<rocksdb::ColumnFamilyDescriptor>{};
  for (const auto& name : family_names)
    families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
  auto settings = rocksdb::Options{};
  settings.env = &env;
  auto handles = std::vector<rocksdb::ColumnFamilyHandle*>{};
  auto* opened = static_cast<rocksdb::DB*>(nullptr);
  REQUIRE(rocksdb::DB::Open(settings, folder.string(), families, &handles, &opened).ok());
  const auto db = std::unique_ptr<rocksdb::DB>{opened};
  auto synced = rocksdb::WriteOptions{};
  synced.sync = true;
  const auto put = [&](const connector& value) {
    CHECK(db->Put(synced, handles[0], codec::connector_key(value.id), codec::encode_plain(value)).ok());
  };
  put(old_connector("crm", old_secret));
  put(old_connector("gone", gone_secret));
  CHECK(db->Flush({}, handles[0]).ok());
  put(old_connector("crm", secret));
  put(old_connector("erp", secret));
  CHECK(db->Delete(synced, handles[0], codec::connector_key({"gone"})).ok());
  CHECK(db->Put(synced, handles[0], std::string{codec::format_key},
                codec::encode_format(codec::format_with_plain_secrets))
            .ok());
  for (auto* handle : handles)
    CHECK(db->DestroyColumnFamilyHandle(handle).ok());
}

/// With an event that waits, and the above.
log_sequence make_old_store(const store_options& options, rocksdb::Env& env) {
  const auto event = accept(*open_store(options), true);
  make_old_partition(env, options.folder);
  return event;
}

/// The files of a folder in which one of these is.
std::vector<std::string> files_with(rocksdb::Env& env, const fs::path& folder,
                                    const std::vector<std::string_view>& what) {
  auto names = std::vector<std::string>{};
  REQUIRE(env.GetChildren(folder.string(), &names).ok());
  auto found = std::vector<std::string>{};
  for (const auto& name : names) {
    auto bytes = std::string{};
    if (!rocksdb::ReadFileToString(&env, (folder / name).string(), &bytes).ok())
      continue; // a folder
    for (const auto text : what)
      if (bytes.find(text) != std::string::npos)
        found.push_back(name);
  }
  return found;
}

std::string opened_secret(const partition_store& store, const std::string& id, const secret_box& box) {
  const auto value = store.read_connector({id});
  REQUIRE(value);
  const auto opened = open_secrets(*value, box);
  return opened ? std::string{opened->secret.view()} : "(not opened)";
}

void check_taken_over(const partition_store& store, const secret_box& box) {
  CHECK(opened_secret(store, "crm", box) == secret);
  CHECK(opened_secret(store, "erp", box) == secret);
  CHECK_FALSE(store.read_connector({"gone"}));
  const auto value = store.read_connector({"crm"});
  CHECK(value->headers == std::vector<std::pair<std::string, std::string>>{{"X-Team", "support"}});
  REQUIRE(value->secret_headers.size() == 1);
  CHECK(value->secret_headers[0].first == "authorization");
  CHECK(open_secrets(*value, box)->headers[0].second.view() == token);
}

std::unique_ptr<data_folder> open_folder(const fs::path& path, std::uint32_t partitions = 1) {
  auto result = data_folder::open(path, partitions);
  if (const auto* why = std::get_if<store_status>(&result))
    FAIL(why->detail);
  return std::get<0>(std::move(result));
}

partition_options options_of() {
  return [](std::uint32_t) { return small_options(nullptr, {}); };
}

} // namespace

// -- the key file -----------------------------------------------------------------------------------------------------

TEST_CASE("a key file is 32 bytes that only its owner may read; anything else is refused and says why") {
  const auto scratch = scratch_folder{};
  const auto file = scratch.path() / "key";
  struct row {
    std::string bytes;
    ::mode_t mode;
    std::string complaint; ///< empty: good
  };
  for (const auto& [bytes, mode, complaint] : std::vector<row>{
           {key_of('k'), 0600, ""},
           {key_of('k'), 0400, ""},
           {key_of('k'), 0640, "may be read or written by others than its owner (mode 0640): chmod 600"},
           {key_of('k'), 0604, "mode 0604"},
           {key_of('k'), 0620, "mode 0620"},
           {key_of('k') + "k", 0600, "has 33 bytes; a key has 32"},
           {std::string(31, 'k'), 0600, "has 31 bytes"},
           {"", 0600, "has 0 bytes"},
       }) {
    write(file, bytes, mode);
    const auto key = read_secret_key(file);
    INFO(complaint);
    CHECK(std::holds_alternative<secret_bytes>(key) == complaint.empty());
    if (const auto* why = std::get_if<store_status>(&key))
      CHECK(why->detail.find(complaint) != std::string::npos);
    fs::remove(file);
  }
  fs::create_directory(file);
  CHECK(std::get<store_status>(read_secret_key(file)).detail.find("is no regular file") != std::string::npos);
  CHECK(std::holds_alternative<store_status>(read_secret_key(scratch.path() / "none")));
}

TEST_CASE("a key is made once, for its owner alone, and never replaced") {
  const auto scratch = scratch_folder{};
  const auto file = scratch.path() / "secret.key";
  write(scratch.path() / "secret.key.new", "cut off");
  REQUIRE(make_secret_key(file).ok());
  CHECK(fs::file_size(file) == secret_box::key_bytes);
  CHECK((fs::status(file).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK_FALSE(fs::exists(scratch.path() / "secret.key.new"));
  const auto first = read(file);
  CHECK(first != std::string(secret_box::key_bytes, '\0'));
  REQUIRE(make_secret_key(file).ok());
  CHECK(read(file) == first);
  REQUIRE(make_secret_key(scratch.path() / "another").ok());
  CHECK(read(scratch.path() / "another") != first);
}

TEST_CASE("a new folder makes its key and remembers which; without it, or with another, it is refused") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  auto folder = open_folder(path);
  CHECK_FALSE(folder->key_fingerprint());
  const auto box = open_secret_box(*folder, {});
  REQUIRE(std::holds_alternative<std::shared_ptr<const secret_box>>(box));
  const auto fingerprint = std::get<0>(box)->fingerprint();
  CHECK(folder->key_fingerprint() == fingerprint);
  CHECK(read(path / "VICKET") ==
        "vicket-data-folder\nformat 3\npartitions 1\nsecret-key " + fingerprint + "\n");
  folder.reset();
  folder = open_folder(path);
  CHECK(std::get<0>(open_secret_box(*folder, {}))->fingerprint() == fingerprint);

  const auto refusal = [&](const fs::path& key_file) {
    const auto marker = read(path / "VICKET");
    const auto result = open_secret_box(*folder, key_file);
    REQUIRE(std::holds_alternative<store_status>(result));
    CHECK(read(path / "VICKET") == marker);
    return std::get<store_status>(result).detail;
  };
  fs::rename(path / "secret.key", scratch.path() / "elsewhere.key");
  const auto lost = refusal({});
  CHECK(lost.find("is not there, and the secrets in data folder") != std::string::npos);
  CHECK(lost.find("are encrypted with the key " + fingerprint) != std::string::npos);
  CHECK_FALSE(fs::exists(path / "secret.key"));
  write(path / "secret.key", key_of('x'));
  const auto wrong = refusal({});
  CHECK(wrong.find("has the key " + box_of('x')->fingerprint()) != std::string::npos);
  CHECK(wrong.find("are encrypted with the key " + fingerprint) != std::string::npos);
  CHECK(std::get<0>(open_secret_box(*folder, scratch.path() / "elsewhere.key"))->fingerprint() ==
        fingerprint);
}

TEST_CASE("a key that is named has to be there; one that is there before the folder is taken") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  auto folder = open_folder(path);
  const auto named = open_secret_box(*folder, scratch.path() / "shared.key");
  REQUIRE(std::holds_alternative<store_status>(named));
  CHECK(std::get<store_status>(named).detail.find("make it with") != std::string::npos);
  CHECK_FALSE(folder->key_fingerprint());
  CHECK_FALSE(fs::exists(path / "secret.key"));
  folder.reset();
  fs::remove_all(path);
  fs::create_directory(path);
  write(path / "secret.key", key_of('k'));
  folder = open_folder(path);
  CHECK(std::get<0>(open_secret_box(*folder, {}))->fingerprint() == box_of('k')->fingerprint());
}

TEST_CASE("a marker's line about the key is whole, or it is damaged") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  open_folder(path).reset();
  const auto head = std::string{"vicket-data-folder\nformat 2\npartitions 1\n"};
  for (const auto* line : {"secret-key\n", "secret-key 0123456789abcde\n", "secret-key 0123456789abcdeF\n",
                           "secret-key 0123456789abcdef", "secret-key 0123456789abcdef\nmore\n", "key\n"}) {
    write(path / "VICKET", head + line);
    const auto result = data_folder::open(path, 1);
    INFO(line);
    REQUIRE(std::holds_alternative<store_status>(result));
    CHECK(std::get<store_status>(result).code == store_errc::corrupt);
  }
  write(path / "VICKET", head + "secret-key 0123456789abcdef\n");
  CHECK(open_folder(path)->key_fingerprint() == "0123456789abcdef");
  write(path / "VICKET", "vicket-data-folder\nformat 1\npartitions 1\nsecret-key 0123456789abcdef\n");
  CHECK(std::holds_alternative<store_status>(data_folder::open(path, 1))); // it had none
}

// -- an older folder --------------------------------------------------------------------------------------------------

TEST_CASE("a partition of the format before is taken over: its secrets are sealed, and in no file any more") {
  auto environment = faulty_environment{};
  const auto options = small_options(&environment);
  const auto event = make_old_store(options, environment.env());
  CHECK_FALSE(files_with(environment.env(), partition_folder, everything_secret).empty());

  auto without_key = options;
  without_key.secrets = nullptr;
  CHECK(open_refused(without_key).detail.find("there is no key to encrypt them with") != std::string::npos);
  auto store = open_store(options);
  CHECK(files_with(environment.env(), partition_folder, everything_secret).empty());
  check_taken_over(*store, *options.secrets);
  CHECK(store->read_event(event, true));
  CHECK(all_waiting(*store, "crm-prod").size() == 1);

  store.reset(); // and stays so
  store = open_store(options);
  check_taken_over(*store, *options.secrets);
  CHECK(files_with(environment.env(), partition_folder, everything_secret).empty());
  CHECK(store->read_connector({"crm"})->secret != store->read_connector({"erp"})->secret);
}

TEST_CASE("a taking over that is cut off anywhere is finished by the next start") {
  auto points = 0;
  for (auto bytes = std::uint64_t{0};; bytes += 97 + bytes / 8, ++points) {
    auto environment = faulty_environment{};
    const auto options = small_options(&environment);
    const auto event = make_old_store(options, environment.env());
    environment.fill_disk_after(bytes, faulty_environment::fault::broken);
    const auto whole =
        std::holds_alternative<std::unique_ptr<partition_store>>(partition_store::open(options));
    environment.crash();
    environment.restart(bytes);
    const auto store = open_store(options);
    INFO("cut off after " << bytes << " bytes");
    check_taken_over(*store, *options.secrets);
    CHECK(store->read_event(event, true));
    CHECK(files_with(environment.env(), partition_folder, everything_secret).empty());
    if (whole)
      break;
  }
  CHECK(points > 20); // else it was not cut off where it writes
}

// -- another key ------------------------------------------------------------------------------------------------------

namespace {

/// A partition with a thousand and one connectors, which is more than one commit takes.
void make_sealed_partition(partition_store& store, const secret_box& box, int connectors) {
  auto batch = write_batch{};
  for (auto i = 0; i < connectors; ++i) {
    auto value = connector{};
    value.id = {"c" + std::to_string(i)};
    value.url = "https://hooks.example.com/vicket";
    value.secret = {"secret-of-" + std::to_string(i)};
    seal_secrets(value, box);
    batch.put_connector(value);
  }
  REQUIRE(store.commit(batch, 1).ok());
}

/// Whether all connectors are there, sealed with this key.
bool all_opened_by(const partition_store& store, const secret_box& box, int connectors) {
  if (static_cast<int>(store.connectors().size()) != connectors)
    return false;
  for (const auto& value : store.connectors()) {
    const auto opened = open_secrets(value, box);
    if (!opened || opened->secret.view() != "secret-of-" + value.id.value.substr(1))
      return false;
  }
  return true;
}

} // namespace

TEST_CASE(
    "what is staged with another key takes its place when it is opened with that, and else is forgotten") {
  auto environment = faulty_environment{};
  auto options = small_options(&environment);
  constexpr auto connectors = 1'001;
  auto store = open_store(options);
  make_sealed_partition(*store, *options.secrets, connectors);
  REQUIRE(store->stage_rotation(*box_of('n')).ok());
  CHECK(all_opened_by(*store, *box_of('k'), connectors)); // nothing has changed yet
  store.reset();
  SECTION("opened with the old one") {
    store = open_store(options);
    CHECK(all_opened_by(*store, *box_of('k'), connectors));
    store.reset();
    options.secrets = box_of('n'); // too late: nothing is staged any more
    store = open_store(options);
    CHECK(all_opened_by(*store, *box_of('k'), connectors));
  }
  SECTION("opened with the new one") {
    options.secrets = box_of('n');
    store = open_store(options);
    CHECK(all_opened_by(*store, *box_of('n'), connectors));
  }
  SECTION("staged again with a third one") {
    store = open_store(options);
    REQUIRE(store->stage_rotation(*box_of('n')).ok());
    REQUIRE(store->stage_rotation(*box_of('m')).ok());
    store.reset();
    options.secrets = box_of('m');
    CHECK(all_opened_by(*open_store(options), *box_of('m'), connectors));
  }
}

TEST_CASE(
    "staging, and what comes after it, may be cut off anywhere: one key opens all, the old or the new") {
  constexpr auto connectors = 12;
  const auto at =
      std::vector<std::uint64_t>{0, 50, 150, 300, 700, 1'100, 1'500, 2'000, 3'000, 4'000, 6'000, 9'000};
  for (const auto is_flipped : {false, true})
    for (const auto bytes : at) {
      auto environment = faulty_environment{};
      auto options = small_options(&environment);
      auto store = open_store(options);
      make_sealed_partition(*store, *options.secrets, connectors);
      if (is_flipped) {
        REQUIRE(store->stage_rotation(*box_of('n')).ok());
        store.reset();
        options.secrets = box_of('n');
        environment.fill_disk_after(bytes, faulty_environment::fault::broken);
        static_cast<void>(partition_store::open(options));
      } else {
        environment.fill_disk_after(bytes, faulty_environment::fault::broken);
        static_cast<void>(store->stage_rotation(*box_of('n')).ok());
      }
      environment.crash();
      store.reset();
      environment.restart(bytes);
      INFO((is_flipped ? "opening" : "staging") << " cut off after " << bytes << " bytes");
      store = open_store(options);
      CHECK(all_opened_by(*store, *options.secrets, connectors));
    }
}

TEST_CASE("a folder's key is changed in one step for all its partitions") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  const auto new_file = scratch.path() / "new.key";
  auto folder = open_folder(path, 3);
  const auto old_box = std::get<0>(open_secret_box(*folder, {}));
  const auto with_old = [&](std::uint32_t i) {
    auto options = small_options(nullptr, folder->partition_path(i));
    options.secrets = old_box;
    return options;
  };
  for (auto i = std::uint32_t{0}; i < 3; ++i)
    make_sealed_partition(*open_store(with_old(i)), *old_box, 5);

  const auto all_opened = [&](const std::shared_ptr<const secret_box>& box) {
    for (auto i = std::uint32_t{0}; i < 3; ++i) {
      auto options = with_old(i);
      options.secrets = box;
      if (!all_opened_by(*open_store(options), *box, 5))
        return false;
    }
    return true;
  };
  SECTION("as a whole") {
    const auto old_record = open_store(with_old(0))->read_connector({"c0"})->secret.value;
    CHECK_FALSE(files_with(*rocksdb::Env::Default(), folder->partition_path(0), {old_record}).empty());
    REQUIRE(rotate_secret_key(*folder, options_of(), {}, new_file).ok());
    const auto new_box =
        std::make_shared<const secret_box>(std::get<secret_bytes>(read_secret_key(new_file)));
    CHECK(folder->key_fingerprint() == new_box->fingerprint());
    CHECK(all_opened(new_box));
    CHECK(files_with(*rocksdb::Env::Default(), folder->partition_path(0), {old_record}).empty());
    CHECK(std::get<store_status>(open_secret_box(*folder, {})).detail.find(new_box->fingerprint()) !=
          std::string::npos);
    CHECK(fs::exists(path / "secret.key"));                               // copies from before need it
    REQUIRE(rotate_secret_key(*folder, options_of(), {}, new_file).ok()); // there is nothing to do
    CHECK(all_opened(new_box));
  }
  SECTION("with a wrong old key nothing is done, and no new one made") {
    const auto wrong = scratch.path() / "wrong.key";
    write(wrong, key_of('w'));
    const auto status = rotate_secret_key(*folder, options_of(), wrong, new_file);
    CHECK(status.code == store_errc::failed);
    CHECK(status.detail.find(old_box->fingerprint()) != std::string::npos);
    CHECK_FALSE(fs::exists(new_file));
    CHECK(all_opened(old_box));
  }
  SECTION("cut off before the marker names the new one") {
    write(new_file, key_of('n'));
    for (auto i = std::uint32_t{0}; i < 2; ++i)
      REQUIRE(open_store(with_old(i))->stage_rotation(*box_of('n')).ok());
    CHECK(std::holds_alternative<std::shared_ptr<const secret_box>>(open_secret_box(*folder, {})));
    SECTION("a node starts with the old one") {
      CHECK(all_opened(old_box));
    }
    SECTION("called again it is done") {
      REQUIRE(rotate_secret_key(*folder, options_of(), {}, new_file).ok());
      CHECK(all_opened(box_of('n')));
    }
  }
  SECTION("cut off after it") {
    write(new_file, key_of('n'));
    for (auto i = std::uint32_t{0}; i < 3; ++i)
      REQUIRE(open_store(with_old(i))->stage_rotation(*box_of('n')).ok());
    REQUIRE(folder->take_key(box_of('n')->fingerprint()).ok());
    SECTION("a node starts with the new one") {
      CHECK(all_opened(box_of('n')));
    }
    SECTION("called again it is done") {
      REQUIRE(rotate_secret_key(*folder, options_of(), {}, new_file).ok());
      CHECK(all_opened(box_of('n')));
    }
  }
  SECTION("with a new key that may be read by others") {
    write(new_file, key_of('n'), 0644);
    CHECK(rotate_secret_key(*folder, options_of(), {}, new_file).detail.find("mode 0644") !=
          std::string::npos);
    CHECK(all_opened(old_box));
  }
}

// -- back to the format before ----------------------------------------------------------------------------------------

TEST_CASE("a copy of the format before has all secrets in the clear, and is taken over again") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  auto folder = open_folder(path, 1);
  REQUIRE(folder->take_key(box_of('k')->fingerprint()).ok());
  const auto event =
      make_old_store(small_options(nullptr, folder->partition_path(0)), *rocksdb::Env::Default());
  const auto copy = scratch.path() / "copy";
  REQUIRE(export_without_key(*folder, options_of(), box_of('k'), copy).ok());

  CHECK(read(copy / "VICKET") == "vicket-data-folder\nformat 1\npartitions 1\n");
  CHECK((fs::status(copy).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
  CHECK(files_with(*rocksdb::Env::Default(), folder->partition_path(0), everything_secret).empty());
  CHECK_FALSE(files_with(*rocksdb::Env::Default(), copy / "partition-0", {secret, token}).empty());
  folder.reset();

  // As the program of that format would.
  folder = open_folder(copy);
  CHECK(folder->format() == data_folder::format_without_key);
  CHECK_FALSE(folder->key_fingerprint());
  const auto box = std::get<0>(open_secret_box(*folder, {}));
  CHECK(folder->format() == 2);
  CHECK(folder->add_settings().ok());
  CHECK(folder->format() == data_folder::format_version);
  auto options = small_options(nullptr, folder->partition_path(0));
  options.secrets = box;
  const auto store = open_store(options);
  check_taken_over(*store, *box);
  CHECK(store->read_event(event, true));
  CHECK(files_with(*rocksdb::Env::Default(), folder->partition_path(0), everything_secret).empty());
}

TEST_CASE("a filter has no place in the format before: there is no copy that would send what it refuses") {
  const auto scratch = scratch_folder{};
  auto folder = open_folder(scratch.path() / "d", 1);
  REQUIRE(folder->take_key(box_of('k')->fingerprint()).ok());
  {
    auto options = small_options(nullptr, folder->partition_path(0));
    options.secrets = box_of('k');
    const auto store = open_store(options);
    auto value = old_connector("crm", secret);
    value.headers.clear();
    value.filter_json = R"({"event":{"eq":"a"}})";
    seal_secrets(value, *box_of('k'));
    auto batch = write_batch{};
    batch.put_connector(value);
    REQUIRE(store->commit(batch, 1).ok());
    CHECK(store->read_connector({"crm"}) == value);
  }
  const auto exported = export_without_key(*folder, options_of(), box_of('k'), scratch.path() / "copy");
  CHECK_FALSE(exported.ok());
  CHECK(
      exported.detail.find(
          "has a connector with a filter, which that format does not know: take it out first, of \"crm\"") !=
      std::string::npos);
}

TEST_CASE("a copy of the format before has no rules, and how many there are can be told") {
  const auto scratch = scratch_folder{};
  auto folder = open_folder(scratch.path() / "d", 1);
  const auto box = box_of('k');
  REQUIRE(folder->take_key(box->fingerprint()).ok());
  CHECK(std::get<std::size_t>(count_rules(*folder, options_of(), box)) == 0); // no settings at all
  REQUIRE(folder->add_settings().ok());
  {
    auto options = small_options(nullptr, *folder->settings_path());
    options.secrets = box;
    const auto store = open_store(options);
    auto batch = write_batch{};
    const auto put = [&](setting_kind kind, const std::string& id) {
      auto value = setting{};
      value.key.kind = kind;
      value.key.id = id;
      value.bytes = "{}";
      batch.put_setting(std::move(value));
    };
    for (const auto* id : {"a", "b", "c"})
      put(setting_kind::rule, id);
    put(static_cast<setting_kind>(9), "d");
    REQUIRE(store->commit(batch, 1).ok());
  }
  CHECK(std::get<std::size_t>(count_rules(*folder, options_of(), box)) == 3);
  const auto copy = scratch.path() / "copy";
  REQUIRE(export_without_key(*folder, options_of(), box, copy).ok());
  CHECK_FALSE(fs::exists(copy / "settings"));
}

TEST_CASE("an exported folder takes no other one's place, and one that was cut off is none") {
  const auto scratch = scratch_folder{};
  auto folder = open_folder(scratch.path() / "d", 2);
  const auto box = std::get<0>(open_secret_box(*folder, {}));
  const auto copy = scratch.path() / "copy";
  fs::create_directory(copy);
  write(copy / "mine", "mine");
  CHECK(export_without_key(*folder, options_of(), box, copy).detail.find("is there already") !=
        std::string::npos);
  fs::remove(copy / "mine");
  fs::permissions(copy, fs::perms::owner_all | fs::perms::group_read | fs::perms::others_read |
                            fs::perms::group_exec | fs::perms::others_exec);
  REQUIRE(open_all_partitions(*folder, options_of(), box).ok());
  auto calls = 0;
  const auto cut_off = [&](std::uint32_t) {
    auto options = small_options(nullptr, {});
    options.epoch = ++calls == 1 ? 1 : 0; // the second partition is refused
    return options;
  };
  CHECK_FALSE(export_without_key(*folder, cut_off, box, copy).ok());
  // What is in it is secret, whoever made the folder.
  CHECK((fs::status(copy).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
  CHECK(std::holds_alternative<store_status>(data_folder::open(copy, 2)));
}
