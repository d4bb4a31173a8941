#include "bench/cost/instructions.hpp"

#include "bench/cost/scratch_folder.hpp"
#include "tests/support/child_process.hpp"

#include <sys/wait.h>

#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <initializer_list>
#include <istream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace vicket::bench {

namespace {

// Few: every connector had its first event, and what is made once is made. The difference is what counts.
constexpr std::size_t few_deliveries = 200;
constexpr std::size_t many_deliveries = 3'200;

constexpr unsigned limit_s = 120; ///< of one run, which takes 6 s
constexpr int exit_not_found = 127;

// OpenSSL and glibc choose code by what the processor can do. Every x86-64 processor can do this today:
// SHA-256 with SSSE3 (valgrind knows no SHA instructions anyway), copies and comparisons with SSE2.
constexpr std::string_view same_openssl = "OPENSSL_ia32cap=0x20007000000:0";
constexpr std::string_view same_glibc = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX";

/// `env -i` and what the run needs: what else stands in the environment must not change the count.
std::vector<std::string> fixed_environment() {
  std::vector<std::string> words{"/usr/bin/env", "-i", "LC_ALL=C", std::string{same_openssl},
                                 std::string{same_glibc}};
  for (const std::string name : {"PATH", "TMPDIR", "LD_LIBRARY_PATH"})
    if (const char* value = std::getenv(name.c_str()))
      words.push_back(name + "=" + value);
  return words;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

[[noreturn]] void complain(int status, const std::filesystem::path& errors) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == exit_not_found)
    throw std::runtime_error{"valgrind is not installed: `make setup` does it"};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    throw std::runtime_error{"the load did not end within " + std::to_string(limit_s) + " s under callgrind"};
  throw std::runtime_error{"the load failed under callgrind (" + testing::text_of_status(status) +
                           "): " + text_of(errors)};
}

callgrind_totals run_load(const std::filesystem::path& load, std::size_t deliveries) {
  const scratch_folder folder;
  const auto counted = folder.path() / "counted";
  const auto errors = folder.path() / "errors";
  auto command = fixed_environment();
  command.insert(command.end(), {"valgrind", "--tool=callgrind", "--callgrind-out-file=" + counted.string(),
                                 "--log-file=" + (folder.path() / "log").string(), load.string(),
                                 "--deliveries", std::to_string(deliveries)});
  testing::child_process run{command, errors, limit_s};
  const auto status = run.wait(std::int64_t{limit_s} * 1'000 + 1'000);
  if (!status || !testing::exited_well(*status))
    complain(status.value_or(SIGALRM), errors);
  std::ifstream file{counted};
  if (auto totals = read_callgrind_totals(file))
    return *std::move(totals);
  throw std::runtime_error{"callgrind ran and left no totals in " + counted.string() +
                           "; its log: " + text_of(folder.path() / "log")};
}

} // namespace

std::variant<instruction_count, std::string> count_instructions(const std::filesystem::path& load) {
  if (!std::filesystem::exists(load))
    return load.string() + " is not there: build vicket-bench-load";
  try {
    const auto few = run_load(load, few_deliveries);
    const auto many = run_load(load, many_deliveries);
    return instruction_count{(many.instructions - few.instructions) / (many_deliveries - few_deliveries),
                             many.tool};
  } catch (const std::exception& problem) {
    return std::string{problem.what()};
  }
}

std::optional<callgrind_totals> read_callgrind_totals(std::istream& file) {
  constexpr std::string_view creator = "creator: ";
  constexpr std::string_view totals = "totals: "; // written last
  callgrind_totals found;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(creator))
      found.tool = line.substr(creator.size());
    if (!line.starts_with(totals))
      continue;
    const auto* const end = line.data() + line.size();
    const auto [stop, failure] = std::from_chars(line.data() + totals.size(), end, found.instructions);
    if (failure == std::errc{} && stop == end)
      return found;
  }
  return std::nullopt;
}

} // namespace vicket::bench
