#include "tests/sim/coverage.hpp"

#include <cstdio>
#include <sstream>

namespace vicket::sim {

namespace {

std::string padded(std::uint64_t value) {
  auto text = std::to_string(value);
  return text.size() < 6 ? std::string(6 - text.size(), ' ') + text : ' ' + text;
}

} // namespace

void coverage::add(const coverage& other) {
  for (std::size_t i = 0; i < operation_count; ++i) {
    asked_[i] += other.asked_[i];
    for (std::size_t k = 0; k < fault_count; ++k)
      met_[i][k] += other.met_[i][k];
  }
  for (std::size_t k = 0; k < fault_count; ++k)
    strikes_[k] += other.strikes_[k];
  for (std::size_t i = 0; i < loss_count; ++i)
    shown_[i] += other.shown_[i];
}

std::vector<std::string> coverage::missing(std::uint64_t least) const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < operation_count; ++i)
    for (std::size_t k = 0; k < fault_count; ++k)
      if (met_[i][k] < least)
        all.push_back(std::string{operation_names[i]} + " met " + std::string{fault_names[k]} + " " +
                      std::to_string(met_[i][k]) + " times");
  for (std::size_t i = 0; i < loss_count; ++i)
    if (shown_[i] < least)
      all.push_back("a lost " + std::string{loss_names[i]} + " was shown " + std::to_string(shown_[i]) +
                    " times");
  return all;
}

std::string coverage::table() const {
  std::string text;
  for (std::size_t i = 0; i < operation_count; ++i)
    text += "  [" + std::to_string(i) + "] " + std::string{operation_names[i]} + ": asked " +
            std::to_string(asked_[i]) + " times\n";
  for (std::size_t i = 0; i < loss_count; ++i)
    text += "  lost " + std::string{loss_names[i]} + ": shown " + std::to_string(shown_[i]) + " times\n";
  text += "\n" + std::string(22, ' ') + "strikes";
  for (std::size_t i = 0; i < operation_count; ++i)
    text += std::string(i < 10 ? 3 : 2, ' ') + "[" + std::to_string(i) + "]";
  text += "\n";
  for (std::size_t k = 0; k < fault_count; ++k) {
    text += std::string{fault_names[k]} + std::string(23 - fault_names[k].size(), ' ') + padded(strikes_[k]);
    for (std::size_t i = 0; i < operation_count; ++i)
      text += padded(met_[i][k]);
    text += "\n";
  }
  return text;
}

std::string coverage::to_line() const {
  std::ostringstream out;
  for (const auto one : asked_)
    out << one << ' ';
  for (const auto one : strikes_)
    out << one << ' ';
  for (const auto& row : met_)
    for (const auto one : row)
      out << one << ' ';
  for (const auto one : shown_)
    out << one << ' ';
  return out.str();
}

bool coverage::add_line(const std::string& line) {
  std::istringstream in{line};
  coverage read;
  for (auto& one : read.asked_)
    in >> one;
  for (auto& one : read.strikes_)
    in >> one;
  for (auto& row : read.met_)
    for (auto& one : row)
      in >> one;
  for (auto& one : read.shown_)
    in >> one;
  if (!in)
    return false;
  add(read);
  return true;
}

} // namespace vicket::sim
