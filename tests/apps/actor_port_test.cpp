// The actor port of the programs: where it listens, who may what, certificates that change.

#include "tests/apps/node_process.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <string>

using namespace vicket::testing;

namespace {

/// `--tls-cert C --tls-key K --tls-ca A`.
arguments tls_flags(const temporary_folder& folder, const std::string& name, const certificate& own,
                    const certificate_authority& trusted) {
  return {"--tls-cert", folder.file(name + ".pem", own.pem),
          "--tls-key",  folder.file(name + ".key", own.key_pem),
          "--tls-ca",   folder.file(name + "-ca.pem", trusted.pem())};
}

finished_process run_vicket(const std::string& node, const arguments& more, const std::string& input = {}) {
  return run_process(arguments{VICKET_PATH, "--node", node} + more, input);
}

constexpr const char* event_line =
    R"({"connector":"nobody","event":"x","occurred_at":"2026-05-23T14:21:11.412Z","data":{}})";

} // namespace

TEST_CASE("a node listens at several places, and on a Unix socket everybody may do everything") {
  const temporary_folder folder;
  const auto path = folder.path() + "/actors.sock";
  node_process node{folder.path() + "/data", {"--listen", "unix:" + path}};
  CHECK(run_vicket(node.address(), {"status"}).code == 0);
  const auto status = run_vicket("unix:" + path, {"status"});
  INFO(status.errors);
  CHECK(status.code == 0);
  CHECK(run_vicket("unix:" + path, {"send"}, event_line).code == 1); // unknown_connector: it was asked
  CHECK(run_vicket("unix:" + path + "x", {"status"}).code == 3);
  CHECK(node.stop() == 0);
}

TEST_CASE("with --role a certificate may do what its name says, and others nothing") {
  const temporary_folder folder;
  const certificate_authority authority;
  const auto node_tls = tls_flags(folder, "node", authority.good(), authority);
  const auto engine =
      tls_flags(folder, "engine", authority.issue({.dns_names = {"a.engines.test"}}), authority);
  const auto ops = tls_flags(folder, "ops", authority.issue({.dns_names = {"ops.test"}}), authority);
  const auto other = tls_flags(folder, "other", authority.issue({.dns_names = {"other.test"}}), authority);
  node_process node{folder.path() + "/data",
                    node_tls + arguments{"--role", "*.engines.test=sender", "--role", "ops.test=operator"}};
  const auto sent = run_vicket(node.address(), engine + arguments{"send"}, event_line);
  INFO(sent.errors);
  REQUIRE(sent.lines.size() == 1);
  CHECK(sent.lines[0].find("unknown_connector") != std::string::npos);
  const auto status = run_vicket(node.address(), engine + arguments{"status"});
  CHECK(status.code == 1);
  CHECK(status.errors.find("sender only") != std::string::npos);
  CHECK(run_vicket(node.address(), ops + arguments{"status"}).code == 0);
  const auto refused = run_vicket(node.address(), ops + arguments{"send"}, event_line);
  REQUIRE(refused.lines.size() == 1);
  CHECK(refused.lines[0].find("forbidden") != std::string::npos);
  const auto nobody = run_vicket(node.address(), other + arguments{"status"});
  CHECK(nobody.code == 3);
  CHECK(nobody.errors.find("has no role here") != std::string::npos);
  CHECK(node.stop() == 0);
}

TEST_CASE("SIGHUP takes new certificates, and keeps the old where the new are broken") {
  const temporary_folder folder;
  const certificate_authority old_authority;
  const certificate_authority new_authority{"The next root"};
  const auto node_tls = tls_flags(folder, "node", old_authority.good(), old_authority);
  const auto old_client = tls_flags(folder, "old", old_authority.good(), old_authority);
  const auto new_client = tls_flags(folder, "new", new_authority.good(), new_authority);
  node_process node{folder.path() + "/data", node_tls};
  CHECK(run_vicket(node.address(), old_client + arguments{"status"}).code == 0);

  static_cast<void>(folder.file("node.key", "broken"));
  node.self().signal(SIGHUP);
  node.self().wait_for_error("the actor port's certificates stay as they were");
  CHECK(run_vicket(node.address(), old_client + arguments{"status"}).code == 0);

  static_cast<void>(tls_flags(folder, "node", new_authority.good(), new_authority));
  node.self().signal(SIGHUP);
  node.self().wait_for_error("the actor port's certificates are new");
  CHECK(run_vicket(node.address(), new_client + arguments{"status"}).code == 0);
  CHECK(run_vicket(node.address(), old_client + arguments{"status"}).code == 3);
  CHECK(node.stop() == 0);
}
