#include "policy/json_places.hpp"

#include "policy/json_slices.hpp"

#include <algorithm>
#include <limits>

namespace vicket {

namespace {

constexpr auto first_of = [](const auto& pair) -> const auto& {
  return pair.first;
};

} // namespace

std::size_t json_places::add(const json_pointer& pointer) {
  auto* at = &root_;
  for (const auto& token : pointer.tokens()) {
    auto next = std::ranges::lower_bound(at->members, token, {}, first_of);
    if (next == at->members.end() || next->first != token) {
      next = at->members.emplace(next, token, std::make_unique<node>());
      // Written as a number is: no zeros before it.
      if (const auto index = count_of_json(token, std::numeric_limits<std::uint32_t>::max()))
        at->elements.emplace(std::ranges::lower_bound(at->elements, *index, {}, first_of), *index,
                             next->second.get());
    }
    at = next->second.get();
  }
  if (!at->number)
    at->number = count_++;
  return *at->number;
}

void json_places::find(std::string_view valid, std::vector<std::string_view>& found) const {
  found.assign(count_, {});
  search state{json_cursor{valid}, found, {}};
  look(root_, state);
}

const json_places::node* json_places::member(const node& of, std::string_view name) {
  const auto found = std::ranges::lower_bound(of.members, name, {}, first_of);
  return found != of.members.end() && found->first == name ? found->second.get() : nullptr;
}

/// What an earlier member of the same name has led to.
void json_places::forget(const node& below, search& state) {
  for (const auto& [name, next] : below.members) {
    if (next->number)
      state.found[*next->number] = {};
    forget(*next, state);
  }
}

/// At a value, which it passes. As deep as the longest pointer.
void json_places::look(const node& from, search& state) {
  const auto begin = state.at.at();
  const auto kind = state.at.kind();
  if (!from.members.empty() && kind == json_kind::object)
    look_into_object(from, state);
  else if (!from.elements.empty() && kind == json_kind::array)
    look_into_array(from, state);
  else
    state.at.skip();
  if (from.number)
    state.found[*from.number] = state.at.since(begin);
}

void json_places::look_into_object(const node& from, search& state) {
  state.at.enter();
  json_string name;
  while (state.at.next_member(name)) {
    auto plain = name.raw;
    if (name.escaped) {
      state.name.clear();
      append_unescaped_json(state.name, name.raw);
      plain = state.name;
    }
    if (const auto* next = member(from, plain)) {
      forget(*next, state);
      look(*next, state);
    } else {
      state.at.skip();
    }
  }
}

void json_places::look_into_array(const node& from, search& state) {
  state.at.enter();
  std::size_t index = 0;
  for (const auto& [wanted, next] : from.elements) {
    for (; index <= wanted; ++index) {
      if (!state.at.next_element())
        return;
      if (index == wanted)
        look(*next, state);
      else
        state.at.skip();
    }
  }
  state.at.leave();
}

} // namespace vicket
