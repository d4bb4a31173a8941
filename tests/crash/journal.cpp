#include "tests/crash/journal.hpp"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vicket::crash {

namespace {

/// One flat JSON object.
class line_writer {
public:
  line_writer() { writer_.StartObject(); }

  line_writer& text(const char* key, std::string_view value) {
    writer_.Key(key);
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    return *this;
  }

  line_writer& number(const char* key, std::int64_t value) {
    writer_.Key(key);
    writer_.Int64(value);
    return *this;
  }

  line_writer& flag(const char* key, bool value) {
    writer_.Key(key);
    writer_.Bool(value);
    return *this;
  }

  std::string line() {
    writer_.EndObject();
    return std::string{buffer_.GetString(), buffer_.GetSize()} + "\n";
  }

private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

/// The fields of one line; a missing or mistyped one throws.
class line_reader {
public:
  line_reader(const std::string& line, const std::filesystem::path& file) : file_{file.string()} {
    document_.Parse(line.data(), line.size());
    if (document_.HasParseError() || !document_.IsObject())
      throw std::runtime_error{"a line of " + file_ + " is no JSON object: " + line.substr(0, 200)};
  }

  [[nodiscard]] bool has(const char* key) const { return document_.HasMember(key); }

  [[nodiscard]] std::string text(const char* key) const {
    const auto& value = member(key);
    if (!value.IsString())
      complain(key);
    return {value.GetString(), value.GetStringLength()};
  }

  template <class Number = std::int64_t>
  [[nodiscard]] Number number(const char* key) const {
    const auto& value = member(key);
    if (!value.IsInt64())
      complain(key);
    return static_cast<Number>(value.GetInt64());
  }

  [[nodiscard]] bool flag(const char* key) const {
    const auto& value = member(key);
    if (!value.IsBool())
      complain(key);
    return value.GetBool();
  }

  [[nodiscard]] timestamp_ms time(const char* key) const { return {number(key)}; }

private:
  [[nodiscard]] const rapidjson::Value& member(const char* key) const {
    if (!has(key))
      complain(key);
    return document_[key];
  }

  [[noreturn]] void complain(const char* key) const {
    throw std::runtime_error{"a line of " + file_ + " lacks a good '" + key + "'"};
  }

  std::string file_;
  rapidjson::Document document_;
};

template <class Take>
void for_each_line(const std::filesystem::path& file, Take take) {
  std::ifstream in{file, std::ios::binary};
  if (!in)
    throw std::runtime_error{"can't read " + file.string()};
  for (std::string line; std::getline(in, line);)
    take(line_reader{line, file});
}

answer_record answer_from(const line_reader& line) {
  answer_record made;
  made.serial = line.number<std::uint64_t>("answer");
  made.at = line.time("at");
  if (line.has("refused")) {
    refusal no;
    if (!from_string(line.text("refused"), no.code))
      throw std::runtime_error{"an unknown code: " + line.text("refused")};
    no.detail = line.text("detail");
    made.result = no;
    return made;
  }
  const auto id = event_id::parse(line.text("id"));
  if (!id)
    throw std::runtime_error{"not an id: " + line.text("id")};
  made.result = accepted{*id, line.flag("duplicate")};
  return made;
}

/// The connectors of a look: `id version as_put` each, blanks between all; -1 for a version that is none.
std::string text_of(const std::vector<look_record::shown>& all) {
  std::string text;
  for (const auto& one : all)
    text += one.connector + " " + (one.version ? std::to_string(*one.version) : "-1") +
            (one.as_put ? " 1 " : " 0 ");
  return text;
}

look_record look_from(const line_reader& line) {
  look_record made{line.time("look"), line.time("at"), {}};
  std::istringstream words{line.text("all")};
  std::string connector;
  std::int64_t version = 0;
  bool as_put = false;
  while (words >> connector >> version >> as_put)
    made.all.push_back(
        {connector, version < 0 ? std::nullopt : std::optional{static_cast<std::uint64_t>(version)}, as_put});
  return made;
}

change_answer_record change_answer_from(const line_reader& line) {
  change_answer_record made{
      line.text("connector"), line.number<std::uint64_t>("changed"), {}, line.time("at")};
  errc code{};
  if (!line.has("refused"))
    return made;
  if (!from_string(line.text("refused"), code))
    throw std::runtime_error{"an unknown code: " + line.text("refused")};
  made.refused = code;
  return made;
}

constexpr const char* follower_keys[] = {"start", "entry", "gap", "page"};

request_record request_from(const line_reader& line) {
  request_record made;
  made.connector = line.text("connector");
  made.version = line.number<std::uint64_t>("version");
  made.secret = line.number<std::uint32_t>("secret");
  made.id = line.text("id");
  made.body = line.text("body");
  made.body_sha256 = line.text("sha256");
  made.signed_at_s = line.number("t");
  made.vicket_signature_good = line.flag("vicket");
  made.standard_signature_good = line.flag("standard");
  made.head_good = line.flag("head");
  made.connection_accepted_at = line.time("connection_at");
  made.request_on_connection = line.number<std::uint32_t>("on_connection");
  made.arrived_at = line.time("at");
  made.answer.status = line.number<std::uint16_t>("status");
  made.answer.retry_after_s = line.number<std::uint32_t>("retry_after_s");
  const auto kind = reply_from(line.text("reply"));
  if (!kind)
    throw std::runtime_error{"an unknown reply: " + line.text("reply")};
  made.answer.kind = *kind;
  return made;
}

} // namespace

journal::journal(const std::filesystem::path& file)
    : file_{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)} {
  if (file_ < 0)
    throw std::runtime_error{"can't write " + file.string() + ": " + std::strerror(errno)};
}

journal::~journal() {
  ::close(file_);
}

void journal::append(std::string line) {
  const std::lock_guard lock{mutex_};
  if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error{std::string{"can't note: "} + std::strerror(errno)};
}

void journal::note(const send_record& sent) {
  append(line_writer{}
             .number("sent", static_cast<std::int64_t>(sent.serial))
             .number("at", sent.at.value)
             .line());
}

void journal::note(const answer_record& answer) {
  line_writer made;
  made.number("answer", static_cast<std::int64_t>(answer.serial)).number("at", answer.at.value);
  if (const auto* yes = std::get_if<accepted>(&answer.result)) {
    made.text("id", yes->id.to_string()).flag("duplicate", yes->duplicate);
  } else {
    const auto& no = std::get<refusal>(answer.result);
    made.text("refused", to_string(no.code)).text("detail", no.detail);
  }
  append(made.line());
}

void journal::note(const change_record& change) {
  append(line_writer{}
             .number("change", static_cast<std::int64_t>(change.version))
             .text("connector", change.connector)
             .flag("remove", change.remove)
             .number("at", change.at.value)
             .line());
}

void journal::note(const change_answer_record& answer) {
  line_writer made;
  made.number("changed", static_cast<std::int64_t>(answer.version))
      .text("connector", answer.connector)
      .number("at", answer.at.value);
  if (answer.refused)
    made.text("refused", to_string(*answer.refused));
  append(made.line());
}

void journal::note(const look_record& look) {
  append(line_writer{}
             .number("look", look.asked_at.value)
             .number("at", look.at.value)
             .text("all", text_of(look.all))
             .line());
}

void journal::note(const follower_record& one) {
  line_writer made;
  made.text(follower_keys[static_cast<std::size_t>(one.what)], one.cursor);
  if (one.what == follower_record::kind::entry)
    made.text("connector", one.connector).text("id", one.id).number("attempt", one.attempt);
  append(made.line());
}

void journal::note_arrival(std::uint64_t number, const request_record& request) {
  append(line_writer{}
             .number("arrival", static_cast<std::int64_t>(number))
             .text("connector", request.connector)
             .number("version", static_cast<std::int64_t>(request.version))
             .number("secret", request.secret)
             .text("id", request.id)
             .text("body", request.body)
             .text("sha256", request.body_sha256)
             .number("t", request.signed_at_s)
             .flag("vicket", request.vicket_signature_good)
             .flag("standard", request.standard_signature_good)
             .flag("head", request.head_good)
             .number("connection_at", request.connection_accepted_at.value)
             .number("on_connection", request.request_on_connection)
             .number("at", request.arrived_at.value)
             .text("reply", to_string(request.answer.kind))
             .number("status", request.answer.status)
             .number("retry_after_s", request.answer.retry_after_s)
             .line());
}

void journal::note_end(std::uint64_t number, const request_record& request) {
  append(line_writer{}
             .number("end", static_cast<std::int64_t>(number))
             .flag("written", request.written)
             .number("at", request.finished_at.value)
             .line());
}

void read_feeder_journal(const std::filesystem::path& file,
                         const std::function<void(const feeder_record&)>& take) {
  for_each_line(file, [&](const line_reader& line) {
    if (line.has("sent"))
      take(send_record{line.number<std::uint64_t>("sent"), line.time("at")});
    else if (line.has("change"))
      take(change_record{line.text("connector"), line.number<std::uint64_t>("change"), line.flag("remove"),
                         line.time("at")});
    else if (line.has("changed"))
      take(change_answer_from(line));
    else if (line.has("look"))
      take(look_from(line));
    else
      take(answer_from(line));
  });
}

void read_receiver_journal(const std::filesystem::path& file,
                           const std::function<void(request_record)>& take) {
  std::map<std::uint64_t, request_record> under_way; // as many as the receiver has connections
  for_each_line(file, [&](const line_reader& line) {
    if (line.has("arrival")) {
      under_way.emplace(line.number<std::uint64_t>("arrival"), request_from(line));
      return;
    }
    auto at = under_way.find(line.number<std::uint64_t>("end"));
    if (at == under_way.end())
      throw std::runtime_error{"an end without an arrival in " + file.string()};
    at->second.finished = true;
    at->second.written = line.flag("written");
    at->second.finished_at = line.time("at");
    take(std::move(at->second));
    under_way.erase(at);
  });
  for (auto& [number, request] : under_way)
    take(std::move(request));
}

void read_follower_journal(const std::filesystem::path& file,
                           const std::function<void(follower_record)>& take) {
  for_each_line(file, [&](const line_reader& line) {
    follower_record made;
    std::size_t kind = 0;
    while (kind < std::size(follower_keys) && !line.has(follower_keys[kind]))
      ++kind;
    if (kind == std::size(follower_keys))
      throw std::runtime_error{"a line of " + file.string() + " is no follower's"};
    made.what = static_cast<follower_record::kind>(kind);
    made.cursor = line.text(follower_keys[kind]);
    if (made.what == follower_record::kind::entry) {
      made.connector = line.text("connector");
      made.id = line.text("id");
      made.attempt = line.number<std::uint32_t>("attempt");
    }
    take(std::move(made));
  });
}

} // namespace vicket::crash
