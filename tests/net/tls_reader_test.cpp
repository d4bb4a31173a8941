// The files of TLS, and what is said of those that are none.

#include "net/tls_files.hpp"
#include "net/tls_reader.hpp"
#include "tests/support/certificates.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <string>

using namespace vicket;
using namespace vicket::internal;
using namespace vicket::testing;

TEST_CASE("what is wrong with a file of TLS is said in one line that names it, for whoever reads it") {
  const certificate_authority root;
  const auto own = root.good();
  const auto another = root.good();
  const temporary_file cert{own.pem};
  const temporary_file key{own.key_pem};
  const temporary_file other_key{another.key_pem};
  const temporary_file ca{root.pem()};
  const temporary_file garbage{"no PEM at all"};
  const std::string nowhere = "/nonexistent/file.pem";
  const auto context = new_tls_context(TLS_method());
  REQUIRE(context);
  const auto begins = [](const tls_complaint& why, const std::string& with) {
    INFO(why.value_or("nothing"));
    return why && why->starts_with(with) && why->find('\n') == std::string::npos;
  };

  CHECK_FALSE(read_certificate(context.get(), cert.path(), key.path()));
  CHECK_FALSE(read_trust_roots(context.get(), ca.path()));
  CHECK_FALSE(certificate_complaint(cert.path(), key.path()));
  CHECK_FALSE(trust_roots_complaint(ca.path()));
  CHECK_FALSE(tls_files_complaint({cert.path(), key.path(), ca.path()}));
  for (const auto& file : {garbage.path(), nowhere}) {
    CHECK(begins(read_certificate(context.get(), file, key.path()),
                 "the certificate " + file + " can't be read: "));
    CHECK(begins(read_certificate(context.get(), cert.path(), file),
                 "the private key " + file + " can't be read: "));
    CHECK(begins(read_trust_roots(context.get(), file), "the CA file " + file + " can't be read: "));
    CHECK(begins(read_revocations(context.get(), file), "the revocation list " + file + " can't be read: "));
    CHECK(begins(certificate_complaint(file, key.path()), "the certificate " + file));
    CHECK(begins(trust_roots_complaint(file), "the CA file " + file));
    CHECK(begins(tls_files_complaint({cert.path(), key.path(), file}), "the CA file " + file));
  }
  CHECK(begins(read_certificate(context.get(), cert.path(), other_key.path()),
               "the private key " + other_key.path() + " does not belong to the certificate " + cert.path()));
}

TEST_CASE("a pipe in the place of a file is seen without opening it, and what is not there is passed over") {
  const temporary_file file{"x"};
  CHECK_FALSE(replaced_by_no_file({file.path(), "", "/nonexistent/file.pem"}));
  std::filesystem::remove(file.path());
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  CHECK(replaced_by_no_file({file.path()}) == file.path() + " is no regular file any more");
}
