#include "policy/connector_secrets.hpp"

#include "policy/connector_config.hpp"

#include <algorithm>
#include <cstring>

namespace vicket {

namespace {

std::string lowered(std::string_view text) {
  std::string result{text};
  for (char& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// Part of the format: must never change. An id has no slash.
std::string place_of_secret(const connector& settings) {
  return settings.id.value + "/secret";
}
std::string place_of_header(const connector& settings, std::string_view name) {
  return settings.id.value + "/header/" + lowered(name);
}

void seal(secret_text& text, const secret_box& box, const std::string& place) {
  if (!text.empty() && !text.is_hidden())
    text = secret_text{box.seal(text.value, place)};
}

/// The empty one stays what it is.
std::optional<secret_bytes> open(const secret_text& text, const secret_box& box, const std::string& place) {
  return text.empty() ? secret_bytes{} : box.open(text.value, place);
}

std::optional<std::string> nothing_to_keep(const connector& settings, const std::string& field, bool exists) {
  return field + ": \"***\" keeps the one that there is, and " +
         (exists ? "'" + settings.id.value + "' has none" : "'" + settings.id.value + "' does not exist") +
         ": give one" + (field == "secret" ? ", or none to have one made" : "");
}

const secret_text* header_of(const connector* known, std::string_view name) {
  if (known == nullptr)
    return nullptr;
  const auto found =
      std::find_if(known->secret_headers.begin(), known->secret_headers.end(),
                   [low = lowered(name)](const auto& one) { return lowered(one.first) == low; });
  return found == known->secret_headers.end() ? nullptr : &found->second;
}

} // namespace

bool secrets_are_sealed(const connector& settings) noexcept {
  const auto fine = [](const secret_text& text) { return text.empty() || secret_box::is_sealed(text.value); };
  return fine(settings.secret) && std::all_of(settings.secret_headers.begin(), settings.secret_headers.end(),
                                              [&](const auto& one) { return fine(one.second); });
}

void seal_secrets(connector& settings, const secret_box& box) {
  seal(settings.secret, box, place_of_secret(settings));
  for (auto& [name, value] : settings.secret_headers)
    seal(value, box, place_of_header(settings, name));
}

std::optional<std::string> keep_secrets(connector& settings, const connector* known) {
  const auto was_hidden = settings.secret.is_hidden();
  if (known != nullptr && (settings.secret.empty() || was_hidden))
    settings.secret = known->secret;
  if (was_hidden && (known == nullptr || settings.secret.empty()))
    return nothing_to_keep(settings, "secret", known != nullptr);
  for (auto& [name, value] : settings.secret_headers) {
    if (!value.is_hidden())
      continue;
    const auto* kept = header_of(known, name);
    if (kept == nullptr)
      return nothing_to_keep(settings, "secret_headers." + name, known != nullptr);
    value = *kept;
  }
  return std::nullopt;
}

std::optional<opened_secrets> open_secrets(const connector& settings, const secret_box& box) {
  opened_secrets result;
  auto secret = open(settings.secret, box, place_of_secret(settings));
  if (!secret)
    return std::nullopt;
  result.secret = *std::move(secret);
  for (const auto& [name, value] : settings.secret_headers) {
    auto opened = open(value, box, place_of_header(settings, name));
    if (!opened)
      return std::nullopt;
    result.headers.emplace_back(name, *std::move(opened));
  }
  return result;
}

bool reseal_secrets(connector& settings, const secret_box& from, const secret_box& to) {
  const auto opened = open_secrets(settings, from);
  if (!opened)
    return false;
  if (!settings.secret.empty())
    settings.secret = secret_text{to.seal(opened->secret.view(), place_of_secret(settings))};
  for (std::size_t i = 0; i < opened->headers.size(); ++i) {
    auto& [name, value] = settings.secret_headers[i];
    value = secret_text{to.seal(opened->headers[i].second.view(), place_of_header(settings, name))};
  }
  return true;
}

void move_credentials(connector& settings) {
  for (auto& [name, value] : settings.headers)
    if (is_credential_header(name)) {
      settings.secret_headers.emplace_back(name, value);
      ::explicit_bzero(value.data(), value.size());
    }
  std::erase_if(settings.headers, [](const auto& one) { return is_credential_header(one.first); });
}

bool unseal_secrets(connector& settings, const secret_box& box) {
  const auto opened = open_secrets(settings, box);
  if (!opened)
    return false;
  settings.secret = secret_text{std::string{opened->secret.view()}};
  for (const auto& [name, value] : opened->headers)
    settings.headers.emplace_back(name, value.view());
  settings.secret_headers.clear();
  return true;
}

} // namespace vicket
