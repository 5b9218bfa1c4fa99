#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinta::io {

/// One value of a pickle. A pickle is a program for a stack machine that can call anything; this
/// reader calls nothing and knows only what Python 2 wrote for dictionaries of numbers, texts,
/// lists and NumPy arrays of bytes.
struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    text,
    list,
    tuple,
    dictionary,
    bytes_array,  ///< a NumPy array of uint8
    array_type,   ///< numpy.ndarray
    dtype_type,   ///< numpy.dtype
    array_maker,  ///< numpy.core.multiarray._reconstruct
    bytes_dtype,  ///< dtype('uint8')
    array_begun,  ///< an array before its content
  };
  Kind kind = Kind::none;
  std::uint64_t offset = 0;           ///< in the file: of the opcode that made it
  std::int64_t integer = 0;           ///< of an integer; 0 or 1 of a boolean; an array: 1 where its
                                      ///< first index runs fastest (Fortran order)
  std::string_view text{};            ///< of a text; the content of an array
  std::vector<PickleValue> items{};   ///< of list, tuple; of a dictionary key, value, key, value
  std::vector<std::int64_t> shape{};  ///< of an array; its product is the content's size
  int depth = 0;                      ///< how deep containers nest below it
};

/// What a value is, for messages: "a list".
std::string_view name_of(PickleValue::Kind kind);

/// Reads a pickle of protocol 2 as Python 2's cPickle wrote the CIFAR archives. Texts and arrays
/// point into `bytes`; the memory taken is at most about a hundred times as large. Nothing is
/// called or imported. A value that was stored for later use may be used again only where it holds
/// no other values, so that none holds itself.
/// @throws DataError with the byte offset: an opcode or global that these files do not need, a
/// stack
///         that does not fit, an array that is not of bytes or not of its shape's size, nesting
///         beyond 8, truncation, bytes behind the end
PickleValue parse_pickle(std::span<const std::byte> bytes, const std::string& path);

}  // namespace tinta::io
