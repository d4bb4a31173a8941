#include "policy/peer_contact.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;

namespace {

std::string names(const std::vector<peer_contact::trouble>& all) {
  std::string text;
  for (const auto& one : all)
    text += one.node + " (" + one.why + ")";
  return text;
}

/// `a: b c; b:; c: b` is three nodes, of which a can't reach the others, and c not b.
std::vector<contact_report> reports(const std::string& text) {
  std::vector<contact_report> all;
  bool named = false;
  for (const auto c : text)
    if (c == ';' || c == ' ')
      named = named && c != ';';
    else if (c == ':')
      named = true;
    else if (named)
      all.back().unreached.emplace_back(1, c);
    else
      all.push_back({std::string(1, c), {}});
  return all;
}

std::string cut(const std::string& text) {
  std::string found;
  for (const auto& one : cut_off(reports(text)))
    found += one;
  return found;
}

} // namespace

TEST_CASE("a node is not reached once it is there, and has had no connection for a while") {
  peer_contact contact;
  constexpr auto patience = peer_contact::patience_ms;
  contact.seen({"b", "c"}, 1'000);
  contact.is("c", true, "", 1'200);
  CHECK(contact.is_missing("b"));
  CHECK_FALSE(contact.is_missing("c"));
  CHECK_FALSE(contact.is_missing("nobody"));
  CHECK(names(contact.unreached(1'000 + patience - 1)).empty());
  CHECK(names(contact.unreached(1'000 + patience)) == "b (no connection yet)");
  contact.is("b", false, "connection refused", 4'000); // its time goes on
  CHECK(names(contact.unreached(1'000 + patience)) == "b (connection refused)");
  contact.is("b", true, "", 10'000);
  CHECK(names(contact.unreached(90'000)).empty());
  contact.is("c", false, "it hung up", 100'000);
  CHECK(names(contact.unreached(100'000 + patience - 1)).empty());
  CHECK(names(contact.unreached(100'000 + patience)) == "c (it hung up)");
}

TEST_CASE("a node that is gone is not accused, nor when it has just come back") {
  peer_contact contact;
  contact.seen({"b"}, 0);
  contact.is("b", true, "", 0);
  contact.is("b", false, "it hung up", 1'000);
  contact.seen({}, 4'000);
  CHECK(names(contact.unreached(90'000)).empty());
  CHECK_FALSE(contact.is_missing("b"));
  contact.seen({"b"}, 100'000);
  CHECK(names(contact.unreached(100'000 + peer_contact::patience_ms - 1)).empty());
  CHECK(names(contact.unreached(100'000 + peer_contact::patience_ms)) == "b (it hung up)");
  // One that stood still for a while, and whose connection has stayed.
  contact.is("b", true, "", 200'000);
  contact.seen({}, 210'000);
  contact.seen({"b"}, 220'000);
  CHECK(names(contact.unreached(300'000)).empty());
}

TEST_CASE("a node is cut off when more than half of the others can't reach it") {
  CHECK(cut("") == "");
  CHECK(cut("a:") == "");
  CHECK(cut("a: b; b:") == "b");  // of two it is the one that is not reached
  CHECK(cut("a: b; b: a") == ""); // it would be both
  CHECK(cut("a: b; b:; c: b") == "b");
  CHECK(cut("a: b; b:; c:") == "");        // c reaches it: whose fault it is, nobody knows
  CHECK(cut("a: b; b: a; c:") == "");      // two that can't reach each other
  CHECK(cut("a: b c; b: a; c: a") == "a"); // one that is alone, and accuses all
  CHECK(cut("a: b c; b: a c; c: a b") == "");
  CHECK(cut("a: c d; b: c d; c: a b; d: a b") == "");               // two halves
  CHECK(cut("a: d e; b: d e; c: d e; d: a b c; e: a b c") == "de"); // the smaller part
  CHECK(cut("a: b z; b:") == "b");                                  // z is gone
  CHECK(cut("a: a; b:") == "");                                     // nobody accuses itself
}
