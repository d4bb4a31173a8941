#include "policy/charset.hpp"

#include "policy/utf8.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace vicket {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";
constexpr std::size_t max_label_bytes = 40;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_in_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

struct labelled {
  charset what;
  std::array<std::string_view, 8> labels; ///< lower case, without what stands between letters and digits
};

// Labels as in the standard, less the exotic ones.
constexpr std::array charsets{
    labelled{{"UTF-8", "UTF-8"}, {"utf8", "unicode11utf8", "xunicode20utf8"}},
    labelled{{"IBM866", "IBM866"}, {"ibm866", "cp866", "866", "csibm866"}},
    labelled{{"ISO-8859-2", "ISO-8859-2"}, {"iso88592", "latin2", "l2", "csisolatin2"}},
    labelled{{"ISO-8859-3", "ISO-8859-3"}, {"iso88593", "latin3", "l3"}},
    labelled{{"ISO-8859-4", "ISO-8859-4"}, {"iso88594", "latin4", "l4"}},
    labelled{{"ISO-8859-5", "ISO-8859-5"}, {"iso88595", "cyrillic"}},
    labelled{{"ISO-8859-6", "ISO-8859-6"}, {"iso88596", "arabic", "ecma114", "asmo708"}},
    labelled{{"ISO-8859-7", "ISO-8859-7"}, {"iso88597", "greek", "greek8", "ecma118"}},
    labelled{{"ISO-8859-8", "ISO-8859-8"}, {"iso88598", "iso88598i", "iso88598e", "hebrew", "logical"}},
    labelled{{"ISO-8859-10", "ISO-8859-10"}, {"iso885910", "latin6", "l6"}},
    labelled{{"ISO-8859-13", "ISO-8859-13"}, {"iso885913"}},
    labelled{{"ISO-8859-14", "ISO-8859-14"}, {"iso885914"}},
    labelled{{"ISO-8859-15", "ISO-8859-15"}, {"iso885915", "latin9", "l9", "csisolatin9"}},
    labelled{{"ISO-8859-16", "ISO-8859-16"}, {"iso885916"}},
    labelled{{"KOI8-R", "KOI8-R"}, {"koi8r", "koi8", "koi", "cskoi8r"}},
    labelled{{"KOI8-U", "KOI8-U"}, {"koi8u", "koi8ru"}},
    labelled{{"macintosh", "MACINTOSH"}, {"macintosh", "mac", "xmacroman", "csmacintosh"}},
    labelled{{"windows-874", "CP874"}, {"windows874", "dos874", "iso885911", "tis620"}},
    labelled{{"windows-1250", "CP1250"}, {"windows1250", "cp1250", "xcp1250"}},
    labelled{{"windows-1251", "CP1251"}, {"windows1251", "cp1251", "xcp1251"}},
    labelled{{"windows-1252", "CP1252"}, {"windows1252", "cp1252", "xcp1252"}},
    labelled{{"windows-1252", "CP1252"}, {"iso88591", "latin1", "l1", "usascii", "ascii", "cp819", "ibm819"}},
    labelled{{"windows-1253", "CP1253"}, {"windows1253", "cp1253", "xcp1253"}},
    labelled{{"windows-1254", "CP1254"}, {"windows1254", "cp1254", "iso88599", "latin5", "l5", "xcp1254"}},
    labelled{{"windows-1255", "CP1255"}, {"windows1255", "cp1255", "xcp1255"}},
    labelled{{"windows-1256", "CP1256"}, {"windows1256", "cp1256", "xcp1256"}},
    labelled{{"windows-1257", "CP1257"}, {"windows1257", "cp1257", "xcp1257"}},
    labelled{{"windows-1258", "CP1258"}, {"windows1258", "cp1258", "xcp1258"}},
    labelled{{"x-mac-cyrillic", "MAC-CYRILLIC"}, {"xmaccyrillic", "xmacukrainian"}},
    labelled{{"GBK", "GB18030"}, {"gbk", "gb2312", "xgbk", "chinese", "csgb2312", "gb231280"}},
    labelled{{"gb18030", "GB18030"}, {"gb18030"}},
    labelled{{"Big5", "BIG5-HKSCS"}, {"big5", "big5hkscs", "cnbig5", "csbig5", "xxbig5"}},
    labelled{{"EUC-JP", "EUC-JP"}, {"eucjp", "xeucjp"}},
    labelled{{"Shift_JIS", "CP932"}, {"shiftjis", "sjis", "xsjis", "mskanji", "ms932", "windows31j"}},
    labelled{{"EUC-KR", "CP949"}, {"euckr", "korean", "ksc5601", "ksc56011987", "windows949", "cseuckr"}},
    labelled{{"ISO-2022-JP", "ISO-2022-JP", false}, {"iso2022jp", "csiso2022jp"}},
    labelled{{"UTF-16LE", "UTF-16LE", false}, {"utf16", "utf16le", "ucs2", "unicode", "iso10646ucs2"}},
    labelled{{"UTF-16BE", "UTF-16BE", false}, {"utf16be", "unicodefffe"}},
};

struct closes_iconv {
  void operator()(void* open) const { ::iconv_close(open); }
};

struct conversion {
  std::string text;
  std::size_t whole_bytes = 0; ///< what is behind them begins a character that is not all there
};

/// Absent: this machine has no such converter.
std::optional<conversion> convert(std::string_view bytes, const charset& from) {
  const std::string name{from.iconv};
  auto* opened = ::iconv_open("UTF-8", name.c_str());
  // NOLINTNEXTLINE: (iconv_t)-1 is how it says no
  if (opened == reinterpret_cast<iconv_t>(-1))
    return std::nullopt;
  const std::unique_ptr<void, closes_iconv> converter{opened};
  conversion result;
  std::string input{bytes}; // which iconv does not change, but wants writable
  auto* in = input.data();
  auto left = input.size();
  std::array<char, 1'024> buffer{};
  while (left > 0) {
    auto* out = buffer.data();
    auto room = buffer.size();
    const auto failed = ::iconv(opened, &in, &left, &out, &room) == static_cast<std::size_t>(-1);
    const auto why = failed ? errno : 0;
    result.text.append(buffer.data(), buffer.size() - room);
    if (why == EILSEQ) {
      result.text += replacement;
      ++in;
      --left;
    } else if (why == EINVAL) { // a character that is not all there
      break;
    }
  }
  result.whole_bytes = bytes.size() - left;
  return result;
}

} // namespace

std::optional<charset> find_charset(std::string_view label) {
  std::string key;
  for (const char c : label.substr(0, max_label_bytes))
    if (const auto small = lower(c); (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9'))
      key += small;
    else if (c != '-' && c != '_' && c != ' ' && c != ':' && c != '.')
      return std::nullopt;
  if (key.empty() || label.size() > max_label_bytes)
    return std::nullopt;
  for (const auto& one : charsets)
    if (std::find(one.labels.begin(), one.labels.end(), key) != one.labels.end())
      return one.what;
  return std::nullopt;
}

std::string_view charset_of(std::string_view content_type) {
  auto rest = content_type;
  while (rest.find(';') != std::string_view::npos) {
    rest.remove_prefix(rest.find(';') + 1);
    const auto parameter = trimmed(rest.substr(0, rest.find(';')));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos ||
        !equal_in_any_case(trimmed(parameter.substr(0, equals)), "charset"))
      continue;
    auto value = trimmed(parameter.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back())
      value = trimmed(value.substr(1, value.size() - 2));
    return value;
  }
  return {};
}

std::optional<std::string_view> header_of(const attempt& value, std::string_view name) {
  for (const auto& field : value.response_headers)
    if (equal_in_any_case(field.name, name))
      return field.value;
  return std::nullopt;
}

std::optional<charset> charset_of_mark(std::string_view body) {
  if (body.starts_with("\xff\xfe"))
    return find_charset("utf-16le");
  if (body.starts_with("\xfe\xff"))
    return find_charset("utf-16be");
  return std::nullopt;
}

std::optional<std::string> converted(std::string_view bytes, const charset& from, bool whole) {
  auto made = convert(bytes, from);
  if (!made)
    return std::nullopt;
  if (whole && made->whole_bytes < bytes.size())
    made->text += replacement;
  return std::move(made->text);
}

std::size_t whole_character_bytes(const attempt& value) {
  const std::string_view body{value.response_body};
  if (!equal_in_any_case(header_of(value, "Content-Encoding").value_or("identity"), "identity"))
    return body.size();
  const auto mark = charset_of_mark(body);
  const auto named = mark ? mark : find_charset(charset_of(header_of(value, "Content-Type").value_or("")));
  const auto as_utf8 = whole_utf8_bytes(body);
  const bool is_utf8 = !first_invalid_utf8(body.substr(0, as_utf8));
  if (!named || named->iconv == "UTF-8" || (is_utf8 && named->keeps_ascii))
    return as_utf8;
  const auto made = convert(body, *named);
  return made ? made->whole_bytes : body.size();
}

} // namespace vicket
