#include "tinta/io/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"

namespace tinta::io {
namespace {

constexpr std::size_t kMaxRank = 64;       // NumPy's
constexpr std::size_t kPreamble = 10;      // magic, version and length
constexpr std::size_t kAlignment = 64;     // of the data that follow the header
constexpr std::size_t kGrowthDigits = 21;  // NumPy's room for the first size to grow in place

struct Descr {
  std::string_view text;
  at::ScalarType type;
};
constexpr std::array<Descr, 6> kDescrs{{{"|u1", at::kByte},
                                        {"<i4", at::kInt},
                                        {"<i8", at::kLong},
                                        {"<f4", at::kFloat},
                                        {"<f8", at::kDouble},
                                        {"|b1", at::kBool}}};

// Reads the few forms of Python literal that a header may hold.
class LiteralReader {
 public:
  LiteralReader(std::string_view text, const std::string& path, std::uint64_t origin)
      : text_(text), path_(path), origin_(origin) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(path_, what, origin_ + position_);
  }

  /// Skips white space, then takes `c` if it is next.
  bool accept(char c) {
    skip_space();
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "' in the npy header, got something else");
  }

  void expect_end() {
    skip_space();
    if (position_ != text_.size()) fail("expected the npy header to end, got more");
  }

  std::string_view string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect(quote);
    const std::size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos) fail("expected a closing quote in the npy header, got none");
    const std::string_view value = text_.substr(position_, end - position_);
    position_ = end + 1;
    return value;
  }

  bool boolean() {
    for (const std::string_view word : {"False", "True"}) {
      if (accept(word[0])) {
        if (text_.substr(position_).starts_with(word.substr(1))) {
          position_ += word.size() - 1;
          return word == "True";
        }
        break;
      }
    }
    fail("expected True or False in the npy header, got something else");
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      if (sizes.size() == kMaxRank) fail("expected at most 64 dimensions, got more");
      sizes.push_back(number());
      if (accept(',')) continue;
      // Python's (3) is a number; only (3,) is a tuple.
      if (sizes.size() == 1) fail("expected ',' in the npy header's shape, got something else");
      expect(')');
      break;
    }
    return sizes;
  }

 private:
  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) {
      ++position_;
    }
  }

  std::int64_t number() {
    std::int64_t value = 0;
    const char* begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) fail("expected sizes from 0 below 2^63, got another");
    position_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  std::string_view text_;
  const std::string& path_;
  std::uint64_t origin_;
  std::size_t position_ = 0;
};

at::ScalarType read_descr(LiteralReader& reader) {
  const std::string_view descr = reader.string();
  for (const Descr& known : kDescrs) {
    if (known.text == descr) return known.type;
  }
  if (descr.starts_with('>')) reader.fail("expected little-endian data, got " + shown(descr));
  if (descr.find('O') != std::string_view::npos) {
    reader.fail("expected numbers, got objects, which are pickles and never read");
  }
  reader.fail("expected one of |u1 <i4 <i8 <f4 <f8 |b1, got " + shown(descr));
}

}  // namespace

std::string encode_npy_header(at::ScalarType type, at::IntArrayRef shape) {
  const auto* descr = std::find_if(kDescrs.begin(), kDescrs.end(),
                                   [&](const Descr& known) { return known.type == type; });
  if (descr == kDescrs.end()) {
    throw ArgumentError(
        std::string("[encode_npy] expected uint8, int32, int64, float32, float64 or "
                    "bool, got ") +
        c10::toString(type));
  }
  std::string text =
      "{'descr': '" + std::string(descr->text) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  text += shape.size() == 1 ? ",), }" : "), }";
  if (!shape.empty()) text.append(kGrowthDigits - std::to_string(shape[0]).size(), ' ');
  text.append(kAlignment - (kPreamble + text.size() + 1) % kAlignment, ' ');
  return text + '\n';
}

NpyHeader decode_npy_header(std::string_view text, const std::string& path, std::uint64_t origin) {
  LiteralReader reader(text, path, origin);
  std::optional<at::ScalarType> type;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<bool> fortran;
  reader.expect('{');
  while (!reader.accept('}')) {
    const std::string_view key = reader.string();
    reader.expect(':');
    if (key == "descr" && !type) {
      type = read_descr(reader);
    } else if (key == "shape" && !shape) {
      shape = reader.shape();
    } else if (key == "fortran_order" && !fortran) {
      fortran = reader.boolean();
      if (*fortran) reader.fail("expected C order, got Fortran order");
    } else {
      reader.fail("expected descr, fortran_order and shape once each, got " + shown(key));
    }
    if (!reader.accept(',')) {
      reader.expect('}');
      break;
    }
  }
  reader.expect_end();
  if (!type || !shape || !fortran) {
    reader.fail("expected descr, fortran_order and shape in the npy header, got fewer");
  }
  return {*type, *std::move(shape)};
}

}  // namespace tinta::io
