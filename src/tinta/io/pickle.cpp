#include "tinta/io/pickle.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/tensor_bytes.h"

namespace tinta::io {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxGlobal = 64;

struct Global {
  std::string_view module, name;
  Kind kind;
};
constexpr std::array kGlobals{
    Global{"numpy.core.multiarray", "_reconstruct", Kind::array_maker},
    Global{"numpy", "ndarray", Kind::array_type},
    Global{"numpy", "dtype", Kind::dtype_type},
};

// What the opcodes of these files do. Source: Python's Lib/pickletools.py.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& path)
      : reader_(bytes, path), path_(path) {}

  PickleValue run() {
    if (code() != 0x80) fail("expected a pickle of protocol 2, which begins with byte 0x80");
    const auto protocol = reader_.little_endian<std::uint8_t>("pickle protocol");
    if (protocol != 2) fail("expected pickle protocol 2, got " + std::to_string(protocol));
    for (std::uint8_t opcode = code(); opcode != '.'; opcode = code()) {
      if (!scalar(opcode) && !container(opcode) && !memory(opcode) && !object(opcode)) {
        std::array<char, 5> shown{};
        std::snprintf(shown.data(), shown.size(), "0x%02x", unsigned{opcode});
        fail(std::string("expected an opcode that arrays of pictures need, got ") + shown.data());
      }
    }
    if (stack_.size() != 1 || !marks_.empty()) {
      fail("expected one value at the pickle's end, got " + std::to_string(stack_.size()));
    }
    if (reader_.remaining() > 0) reader_.fail("expected the pickle to end, got more bytes");
    return std::move(stack_.back());
  }

 private:
  // At the opcode in hand.
  [[noreturn]] void fail(const std::string& what) const { throw DataError(path_, what, at_); }

  std::uint8_t code() {
    at_ = reader_.offset();
    return reader_.little_endian<std::uint8_t>("a pickle's opcode");
  }

  PickleValue& push(Kind kind) {
    stack_.push_back({.kind = kind, .offset = at_});
    return stack_.back();
  }

  void push_integer(std::int64_t value, Kind kind = Kind::integer) { push(kind).integer = value; }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  // The top of the stack, which no mark lies above.
  PickleValue& top(Kind kind) {
    if (stack_.size() <= floor()) fail("expected a value on the pickle's stack, got none");
    if (stack_.back().kind != kind) {
      fail("expected " + std::string(name_of(kind)) + " on the pickle's stack, got " +
           std::string(name_of(stack_.back().kind)));
    }
    return stack_.back();
  }

  std::vector<PickleValue> pop(std::size_t count) {
    if (stack_.size() - floor() < count) {
      fail("expected " + std::to_string(count) + " values on the pickle's stack, got " +
           std::to_string(stack_.size() - floor()));
    }
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<PickleValue> values(std::make_move_iterator(first),
                                    std::make_move_iterator(stack_.end()));
    stack_.erase(first, stack_.end());
    return values;
  }

  std::vector<PickleValue> pop_to_mark() {
    if (marks_.empty()) fail("expected a mark on the pickle's stack, got none");
    std::vector<PickleValue> values = pop(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }

  void extend(PickleValue& into, std::vector<PickleValue> values) {
    for (const PickleValue& value : values) into.depth = std::max(into.depth, value.depth + 1);
    if (into.depth > kMaxDepth) fail("expected at most 8 levels of nesting, got more");
    std::ranges::move(values, std::back_inserter(into.items));
  }

  void push_tuple(std::vector<PickleValue> values) { extend(push(Kind::tuple), std::move(values)); }

  bool scalar(std::uint8_t opcode) {
    switch (opcode) {
      case 'N':
        push(Kind::none);
        return true;
      case 0x88:
      case 0x89:
        push_integer(opcode == 0x88 ? 1 : 0, Kind::boolean);
        return true;
      case 'K':
        push_integer(reader_.little_endian<std::uint8_t>("an integer"));
        return true;
      case 'M':
        push_integer(reader_.little_endian<std::uint16_t>("an integer"));
        return true;
      case 'J':
        push_integer(static_cast<std::int32_t>(reader_.little_endian<std::uint32_t>("an integer")));
        return true;
      case 'U':
        push_text(reader_.little_endian<std::uint8_t>("a text's length"));
        return true;
      case 'T':
        push_text(reader_.little_endian<std::uint32_t>("a text's length"));
        return true;
      default:
        return false;
    }
  }

  void push_text(std::uint32_t length) {
    const std::string_view text = reader_.text(length, "text");
    push(Kind::text).text = text;
  }

  bool container(std::uint8_t opcode) {
    switch (opcode) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case ']':
        push(Kind::list);
        return true;
      case '}':
        push(Kind::dictionary);
        return true;
      case 't':
        push_tuple(pop_to_mark());
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(pop(opcode - 0x84U));
        return true;
      case 'a':
        append(pop(1));
        return true;
      case 'e':
        append(pop_to_mark());
        return true;
      case 's':
        set_items(pop(2));
        return true;
      case 'u':
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  void append(std::vector<PickleValue> values) { extend(top(Kind::list), std::move(values)); }

  void set_items(std::vector<PickleValue> values) {
    if (values.size() % 2 != 0) fail("expected keys with values, got an odd number");
    for (std::size_t i = 0; i < values.size(); i += 2) {
      if (values[i].kind != Kind::text) fail("expected texts as keys, got others");
    }
    extend(top(Kind::dictionary), std::move(values));
  }

  bool memory(std::uint8_t opcode) {
    switch (opcode) {
      case 'q':
        put(reader_.little_endian<std::uint8_t>("a place in memory"));
        return true;
      case 'r':
        put(reader_.little_endian<std::uint32_t>("a place in memory"));
        return true;
      case 'h':
        get(reader_.little_endian<std::uint8_t>("a place in memory"));
        return true;
      case 'j':
        get(reader_.little_endian<std::uint32_t>("a place in memory"));
        return true;
      default:
        return false;
    }
  }

  void put(std::uint32_t place) {
    if (stack_.size() <= floor()) fail("expected a value on the pickle's stack, got none");
    const PickleValue& value = stack_.back();
    const bool plain = value.kind != Kind::list && value.kind != Kind::tuple &&
                       value.kind != Kind::dictionary && value.kind != Kind::array_begun &&
                       value.kind != Kind::bytes_array;
    memo_[place] = plain ? std::optional(value) : std::nullopt;
  }

  void get(std::uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end() || !found->second) {
      fail("expected a plain value in place " + std::to_string(place) + " of the memory, got " +
           (found == memo_.end() ? "none" : "a container"));
    }
    stack_.push_back(*found->second);
  }

  bool object(std::uint8_t opcode) {
    switch (opcode) {
      case 'c':
        global();
        return true;
      case 'R':
        reduce();
        return true;
      case 'b':
        build();
        return true;
      default:
        return false;
    }
  }

  std::string_view line() {
    std::string_view text = reader_.text(0, "a name");
    std::size_t length = 0;
    while (reader_.text(1, "a name")[0] != '\n') {
      if (++length > kMaxGlobal) fail("expected a name of at most 64 bytes, got more");
    }
    text = {text.data(), length};
    return text;
  }

  void global() {
    const std::string_view module = line(), name = line();
    for (const Global& known : kGlobals) {
      if (known.module == module && known.name == name) {
        push(known.kind);
        return;
      }
    }
    fail("expected nothing but NumPy's arrays, got " +
         shown(std::string(module) + "." + std::string(name)) + ", which is not run");
  }

  // numpy.dtype('u1', 0, 1) and _reconstruct(ndarray, (0,), 'b').
  void reduce() {
    const std::vector<PickleValue> call = pop(2);
    const std::vector<PickleValue>& with = call[1].items;
    if (call[0].kind == Kind::dtype_type && call[1].kind == Kind::tuple && with.size() == 3 &&
        with[0].kind == Kind::text) {
      if (with[0].text != "u1") fail("expected an array of u1 (bytes), got " + shown(with[0].text));
      push(Kind::bytes_dtype);
    } else if (call[0].kind == Kind::array_maker && call[1].kind == Kind::tuple &&
               with.size() == 3 && with[0].kind == Kind::array_type) {
      push(Kind::array_begun);
    } else {
      fail("expected the making of an array of bytes, got another call, which is not run");
    }
  }

  void build() {
    std::vector<PickleValue> state = pop(1);
    if (stack_.size() <= floor()) fail("expected an object on the pickle's stack, got none");
    // A dtype's state says only its version and alignment: a byte has no order.
    if (stack_.back().kind == Kind::bytes_dtype && state[0].kind == Kind::tuple) return;
    fill(top(Kind::array_begun), state[0]);
  }

  // (1, shape, dtype, Fortran order, content)
  void fill(PickleValue& array, const PickleValue& state) {
    const std::vector<PickleValue>& parts = state.items;
    const bool fits = state.kind == Kind::tuple && parts.size() == 5 &&
                      parts[0].kind == Kind::integer && parts[1].kind == Kind::tuple &&
                      parts[2].kind == Kind::bytes_dtype && parts[3].kind == Kind::boolean &&
                      parts[4].kind == Kind::text;
    if (!fits) fail("expected an array's version, shape, type, order and content, got others");
    for (const PickleValue& size : parts[1].items) {
      if (size.kind != Kind::integer || size.integer < 0) fail("expected sizes, got other values");
      array.shape.push_back(size.integer);
    }
    const auto promised = byte_count(array.shape, 1);
    if (!promised || *promised != parts[4].text.size()) {
      fail("expected " + (promised ? std::to_string(*promised) : "more than 2^63") +
           " bytes of content as the array's shape says, got " +
           std::to_string(parts[4].text.size()));
    }
    array.kind = Kind::bytes_array;
    array.integer = parts[3].integer;
    array.text = parts[4].text;
  }

  ByteReader reader_;
  const std::string& path_;
  std::uint64_t at_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint32_t, std::optional<PickleValue>> memo_;
};

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::none:
      return "nothing";
    case Kind::boolean:
      return "a truth value";
    case Kind::integer:
      return "an integer";
    case Kind::text:
      return "a text";
    case Kind::list:
      return "a list";
    case Kind::tuple:
      return "a tuple";
    case Kind::dictionary:
      return "a dictionary";
    case Kind::bytes_array:
      return "an array of bytes";
    case Kind::array_type:
    case Kind::dtype_type:
    case Kind::array_maker:
      return "a global";
    case Kind::bytes_dtype:
      return "an array's type";
    case Kind::array_begun:
      return "an array without content";
  }
  return "a value";
}

PickleValue parse_pickle(std::span<const std::byte> bytes, const std::string& path) {
  return Machine(bytes, path).run();
}

}  // namespace tinta::io
