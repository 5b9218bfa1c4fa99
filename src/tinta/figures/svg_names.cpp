#include "tinta/figures/svg_names.h"

#include <map>
#include <span>
#include <string_view>

namespace tinta::figures {
namespace {

constexpr std::string_view kDefinition = "id=\"";

// The name that begins there, up to the quote or bracket behind it.
std::string_view name_at(std::string_view text, std::size_t begin) {
  const std::size_t end = text.find_first_of("\")'", begin);
  return text.substr(begin, end == std::string_view::npos ? end : end - begin);
}

std::map<std::string_view, std::string> new_names(std::string_view text) {
  std::map<std::string_view, std::string> names;
  for (std::size_t at = text.find(kDefinition); at != std::string_view::npos;
       at = text.find(kDefinition, at + 1)) {
    const std::string_view name = name_at(text, at + kDefinition.size());
    if (names.contains(name)) continue;
    std::string fresh(1, 'n');
    fresh += std::to_string(names.size() + 1);
    names.emplace(name, std::move(fresh));
  }
  return names;
}

}  // namespace

std::vector<std::byte> with_stable_names(const std::vector<std::byte>& svg) {
  const std::string_view text(reinterpret_cast<const char*>(svg.data()), svg.size());
  const std::map<std::string_view, std::string> names = new_names(text);
  std::string out;
  out.reserve(text.size());
  std::size_t copied = 0;
  const auto rename = [&](std::size_t begin) {
    const std::string_view name = name_at(text, begin);
    const auto found = names.find(name);
    if (found == names.end()) return;
    out += text.substr(copied, begin - copied);
    out += found->second;
    copied = begin + name.size();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    // "#" stands before a name where it is used: url(#n1), href="#n1". Base64 has none.
    if (text[at] == '#') rename(at + 1);
    if (text.compare(at, kDefinition.size(), kDefinition) == 0) rename(at + kDefinition.size());
  }
  out += text.substr(copied);
  const auto bytes = std::as_bytes(std::span(out));
  return {bytes.begin(), bytes.end()};
}

}  // namespace tinta::figures
