#include "cursor_file.hpp"

#include <fstream>

std::string load_cursor(const std::filesystem::path& file) {
  std::string cursor;
  std::ifstream{file} >> cursor;
  return cursor;
}

void save_cursor(const std::filesystem::path& file, const std::string& cursor) {
  auto next = file;
  next += ".next";
  std::ofstream out{next};
  out.exceptions(std::ofstream::failbit | std::ofstream::badbit);
  out << cursor << '\n';
  out.close();
  std::filesystem::rename(next, file);
}
