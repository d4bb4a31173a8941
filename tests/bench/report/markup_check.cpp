#include "tests/bench/report/markup_check.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <vector>

namespace vicket::bench {

namespace {

constexpr std::string_view name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:_";

class markup_reader {
public:
  markup_reader(std::string_view text, bool html) : text_{text}, html_{html} {}

  void read() {
    if (html_)
      expect("<!DOCTYPE html>");
    skip_blanks();
    read_element_start();
    while (!open_.empty()) {
      if (looking_at("</"))
        read_element_end();
      else if (looking_at("<"))
        read_element_start();
      else
        read_text("<");
    }
    skip_blanks();
    if (at_ != text_.size())
      fail("something behind the root");
  }

private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error{what + " at byte " + std::to_string(at_) + ": " +
                             std::string{text_.substr(at_, 60)}};
  }

  [[nodiscard]] bool looking_at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void expect(std::string_view what) {
    if (!looking_at(what))
      fail("expected " + std::string{what});
    at_ += what.size();
  }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \n", at_), text_.size()); }

  std::string_view read_name() {
    const auto end = std::min(text_.find_first_not_of(name_characters, at_), text_.size());
    if (end == at_)
      fail("expected a name");
    const auto name = text_.substr(at_, end - at_);
    at_ = end;
    return name;
  }

  void read_reference() {
    const auto end = text_.find(';', at_);
    const auto name = text_.substr(at_, end - at_ + 1);
    constexpr std::array<std::string_view, 5> known{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    if (end == std::string_view::npos || std::find(known.begin(), known.end(), name) == known.end())
      fail("a bare &");
    at_ = end + 1;
  }

  /// Up to one of `ends`, which is not taken.
  void read_text(std::string_view ends) {
    while (at_ < text_.size() && ends.find(text_[at_]) == std::string_view::npos) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte < 0x20 && byte != '\n' && byte != '\t')
        fail("a control character");
      if (byte == '<')
        fail("a bare <");
      if (byte == '&')
        read_reference();
      else
        ++at_;
    }
    if (at_ == text_.size())
      fail("the end is missing");
  }

  void read_element_start() {
    expect("<");
    const auto name = read_name();
    std::set<std::string_view> attributes;
    for (skip_blanks(); !looking_at(">") && !looking_at("/>"); skip_blanks()) {
      if (!attributes.insert(read_name()).second)
        fail("an attribute twice");
      expect("=\"");
      read_text("\"");
      expect("\"");
    }
    const bool closed = looking_at("/>") || (html_ && name == "meta");
    expect(looking_at("/>") ? "/>" : ">");
    if (!closed)
      open_.push_back(name);
    if (html_ && name == "style")
      at_ = std::min(text_.find("</style>", at_), text_.size());
  }

  void read_element_end() {
    expect("</");
    if (const auto name = read_name(); name != open_.back())
      fail("</" + std::string{name} + "> closes <" + std::string{open_.back()} + ">");
    expect(">");
    open_.pop_back();
  }

  std::string_view text_;
  bool html_;
  std::size_t at_ = 0;
  std::vector<std::string_view> open_;
};

std::string complaint(std::string_view text, bool html) {
  try {
    markup_reader{text, html}.read();
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

} // namespace

std::string xml_complaint(std::string_view text) {
  return complaint(text, false);
}

std::string html_complaint(std::string_view text) {
  return complaint(text, true);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

} // namespace vicket::bench
