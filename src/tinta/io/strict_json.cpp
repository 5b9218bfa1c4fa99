#include "tinta/io/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"

namespace tinta::io {

nlohmann::json parse_strict_json(std::string_view text, const std::string& path,
                                 std::uint64_t origin, std::size_t max_depth) {
  using Event = nlohmann::json::parse_event_t;
  // One entry for each object or array that is open: the keys seen in it.
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int, Event event, nlohmann::json& parsed) {
    if (event == Event::object_start || event == Event::array_start) {
      if (open.size() == max_depth) {
        throw DataError(
            path, "expected JSON nested at most " + std::to_string(max_depth) + " deep, got deeper",
            origin);
      }
      open.emplace_back();
    } else if (event == Event::object_end || event == Event::array_end) {
      open.pop_back();
    } else if (event == Event::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open.back().insert(key).second) {
        throw DataError(path, "expected each JSON key once, got " + shown(key) + " twice", origin);
      }
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::parse_error& error) {
    const std::uint64_t place = error.byte > 0 ? error.byte - 1 : 0;
    throw DataError(path, "expected JSON, got a syntax error", origin + place);
  } catch (const nlohmann::json::exception&) {
    throw DataError(path, "expected JSON numbers within range, got one that is not", origin);
  }
}

}  // namespace tinta::io
