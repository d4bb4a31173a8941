#include "policy/backup_manifest.hpp"

#include "policy/json_slices.hpp"
#include "policy/json_writer.hpp"
#include "policy/rfc3339.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace vicket {

namespace {

constexpr std::size_t max_name_bytes = 128;
constexpr std::size_t max_text_bytes = 4'096;
constexpr std::size_t sha256_digits = 64;
constexpr auto any_count = std::numeric_limits<std::uint64_t>::max();

void put_count(json_writer& out, std::string_view key, std::uint64_t value) {
  put_key(out, key);
  out.Uint64(value);
}

void put(json_writer& out, const backup_manifest::store& value) {
  out.StartObject();
  put_text(out, "name", value.name);
  put_count(out, "epoch", value.epoch);
  put_count(out, "round", value.round);
  put_count(out, "next_sequence", value.next_sequence);
  put_count(out, "oldest_kept", value.oldest_kept);
  put_text(out, "position", value.position);
  put_key(out, "files");
  out.StartArray();
  for (const auto& each : value.files) {
    out.StartObject();
    put_text(out, "name", each.name);
    put_count(out, "bytes", each.bytes);
    put_text(out, "sha256", each.sha256);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= max_name_bytes && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

/// What is missing or wrong, with its place.
struct fault {
  std::string what;
};

/// The fields of one object.
class fields {
public:
  fields(std::string_view text, std::string place) : place_{std::move(place)} {
    json_slices parts{text, json_slices::kind::object};
    while (const auto part = parts.next()) {
      const auto name = text_of_json(part->key);
      if (!name || !seen_.insert(*name).second)
        throw fault{place_ + "has a field without a name, or one twice"};
      values_.emplace_back(*name, part->value);
    }
    if (const auto why = parts.fault(); !why.empty())
      throw fault{place_ + "is no JSON object: " + why};
  }

  [[nodiscard]] std::string_view value(std::string_view name) const {
    const auto found =
        std::find_if(values_.begin(), values_.end(), [&](const auto& one) { return one.first == name; });
    if (found == values_.end())
      throw fault{place_ + "lacks " + std::string{name}};
    return found->second;
  }
  [[nodiscard]] std::uint64_t count(std::string_view name, std::uint64_t most = any_count) const {
    const auto number = count_of_json(value(name), most);
    if (!number)
      throw wrong(name);
    return *number;
  }
  [[nodiscard]] std::string text(std::string_view name) const {
    auto found = text_of_json(value(name));
    if (!found || found->size() > max_text_bytes)
      throw wrong(name);
    return *std::move(found);
  }
  [[nodiscard]] fault wrong(std::string_view name) const {
    return {place_ + std::string{name} + " is not what it has to be"};
  }
  template <class Visit>
  void each(std::string_view name, Visit visit) const {
    json_slices parts{value(name), json_slices::kind::array};
    while (const auto part = parts.next())
      visit(part->value);
    if (!parts.fault().empty())
      throw wrong(name);
  }

private:
  std::string place_;
  std::vector<std::pair<std::string, std::string_view>> values_;
  std::set<std::string> seen_;
};

backup_manifest::file file_from(std::string_view text, const std::string& place) {
  const fields from{text, place};
  backup_manifest::file made{from.text("name"), from.count("bytes"), from.text("sha256")};
  if (!is_plain_name(made.name))
    throw from.wrong("name");
  if (made.sha256.size() != sha256_digits || !is_hex(made.sha256))
    throw from.wrong("sha256");
  return made;
}

template <class Named>
void refuse_twice(const std::vector<Named>& all, const std::string& place) {
  std::set<std::string> seen;
  for (const auto& one : all)
    if (!seen.insert(one.name).second)
      throw fault{place + "has " + one.name + " twice"};
}

backup_manifest::store store_from(std::string_view text) {
  const fields from{text, "a store "};
  backup_manifest::store made;
  made.name = from.text("name");
  if (!is_plain_name(made.name))
    throw from.wrong("name");
  const auto place = "store " + made.name + " ";
  made.epoch = from.count("epoch");
  made.round = from.count("round");
  made.next_sequence = from.count("next_sequence");
  made.oldest_kept = from.count("oldest_kept");
  made.position = from.text("position");
  if (!is_hex(made.position) || made.position.size() % 2 != 0)
    throw from.wrong("position");
  from.each("files", [&](std::string_view one) { made.files.push_back(file_from(one, place + "file: ")); });
  refuse_twice(made.files, place);
  return made;
}

backup_manifest manifest_from(std::string_view text) {
  const fields from{text, ""};
  if (const auto format = from.count("format"); format != backup_manifest::format_version)
    throw fault{"it is of format " + std::to_string(format) + ", this program knows " +
                std::to_string(backup_manifest::format_version) + ": use a newer one"};
  backup_manifest made;
  made.version = from.text("version");
  const auto at = parse_rfc3339(from.text("made_at"));
  if (!at)
    throw from.wrong("made_at");
  made.made_at = *at;
  made.folder_format =
      static_cast<std::uint32_t>(from.count("folder_format", std::numeric_limits<std::uint32_t>::max()));
  made.partitions =
      static_cast<std::uint32_t>(from.count("partitions", std::numeric_limits<std::uint32_t>::max()));
  made.key_fingerprint = from.text("secret_key");
  if (const auto cluster = from.value("cluster"); cluster != "null") {
    const fields place{cluster, "cluster "};
    made.cluster = backup_manifest::cluster_place{place.text("uuid"), place.text("node")};
  }
  from.each("stores", [&](std::string_view one) { made.stores.push_back(store_from(one)); });
  refuse_twice(made.stores, "it ");
  return made;
}

} // namespace

std::string backup_manifest_to_json(const backup_manifest& value) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_count(out, "format", backup_manifest::format_version);
  put_text(out, "version", value.version);
  put_time(out, "made_at", value.made_at);
  put_count(out, "folder_format", value.folder_format);
  put_count(out, "partitions", value.partitions);
  put_text(out, "secret_key", value.key_fingerprint);
  put_key(out, "cluster");
  if (value.cluster) {
    out.StartObject();
    put_text(out, "uuid", value.cluster->uuid);
    put_text(out, "node", value.cluster->node);
    out.EndObject();
  } else {
    out.Null();
  }
  put_key(out, "stores");
  out.StartArray();
  for (const auto& each : value.stores)
    put(out, each);
  out.EndArray();
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::variant<backup_manifest, std::string> backup_manifest_from_json(std::string_view text) {
  if (text.size() > backup_manifest::max_json_bytes)
    return "it has more than " + std::to_string(backup_manifest::max_json_bytes) + " bytes";
  try {
    return manifest_from(text);
  } catch (const fault& found) {
    return found.what;
  }
}

} // namespace vicket
