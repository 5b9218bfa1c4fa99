#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/value.h"
#include "tinta/config/visit.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::config {
namespace {

bool assign(const toml::node& node, std::string& value) {
  if (!node.is_string()) return false;
  value = node.as_string()->get();
  return true;
}

bool assign(const toml::node& node, std::int64_t& value) {
  if (!node.is_integer()) return false;
  value = node.as_integer()->get();
  return true;
}

bool assign(const toml::node& node, std::uint64_t& value) {
  // TOML's integers are signed: to_text() quotes what they cannot hold.
  if (node.is_string()) return from_text(node.as_string()->get(), value);
  if (!node.is_integer() || node.as_integer()->get() < 0) return false;
  value = static_cast<std::uint64_t>(node.as_integer()->get());
  return true;
}

bool assign(const toml::node& node, double& value) {
  if (!node.is_number()) return false;
  value = *node.value<double>();
  return true;
}

bool assign(const toml::node& node, bool& value) {
  if (!node.is_boolean()) return false;
  value = node.as_boolean()->get();
  return true;
}

template <class Number>
bool assign(const toml::node& node, std::vector<Number>& value) {
  if (!node.is_array()) return false;
  std::vector<Number> read;
  for (const toml::node& element : *node.as_array()) {
    if (!assign(element, read.emplace_back())) return false;
  }
  value = std::move(read);
  return true;
}

/// What came where something else was expected: `the text "64"`, `the number 1.5`, `a table`.
std::string describe(const toml::node& node) {
  constexpr std::size_t kShown = 60;
  if (node.is_string()) return "the text " + to_text(node.as_string()->get().substr(0, kShown));
  if (node.is_integer()) return "the number " + std::to_string(node.as_integer()->get());
  if (node.is_floating_point()) {
    return "the number " + shortest(node.as_floating_point()->get());
  }
  if (node.is_boolean()) return to_text(node.as_boolean()->get());
  if (node.is_array()) return "a list";
  return node.is_table() ? "a table" : "a date or time";
}

struct Fault {
  std::uint32_t line;
  std::string text;
};

class Reader {
 public:
  explicit Reader(const toml::table& root) : root_(&root) {}

  RunConfig read() {
    RunConfig config;
    std::vector<std::string> tables;
    config.sections([&](const char* name, auto& section) {
      tables.emplace_back(name);
      if (const toml::node* node = root_->get(name)) read_section(name, *node, section);
    });
    refuse_unknown(*root_, "", tables);
    return config;
  }

  /// In the order of their lines.
  std::vector<Fault> faults() {
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const Fault& a, const Fault& b) { return a.line < b.line; });
    return faults_;
  }

 private:
  template <class Section>
  void read_section(const std::string& name, const toml::node& node, Section& section) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      add(node, name + ": expected a table, got " + describe(node));
      return;
    }
    std::vector<std::string> keys;
    section.fields([&](const char* key, auto& value) {
      keys.emplace_back(key);
      const toml::node* entry = table->get(key);
      if (entry != nullptr && !assign(*entry, value)) {
        add(*entry,
            name + "." + key + ": expected " + kind_of(value) + ", got " + describe(*entry));
      }
    });
    refuse_unknown(*table, name + ".", keys);
  }

  void refuse_unknown(const toml::table& table, const std::string& prefix,
                      const std::vector<std::string>& known) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const char* kind = prefix.empty() && node.is_table() ? "table" : "key";
      add(node, std::string("expected a known ") + kind + ", got " + to_text(prefix + name) +
                    suggestion(name, known));
    }
  }

  void add(const toml::node& node, std::string text) {
    faults_.push_back({node.source().begin.line, std::move(text)});
  }

  const toml::table* root_;
  std::vector<Fault> faults_;
};

/// toml++ frees nested tables by recursion, and dotted keys make them without a limit of its own.
void refuse_deep_keys(std::string_view text, const std::string& where) {
  constexpr auto kMaxDots = 64;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] == '#') continue;
    if (std::count(line.begin(), line.end(), '.') > kMaxDots) {
      throw ArgumentError("[" + where + "] line " + std::to_string(number) + ": expected at most " +
                          std::to_string(kMaxDots) + " dots, got more");
    }
  }
}

toml::table read_toml(std::string_view text, const std::string& where) {
  if (text.size() > kMaxTomlBytes) {
    throw ArgumentError("[" + where + "] expected at most " + std::to_string(kMaxTomlBytes) +
                        " bytes of TOML, got " + std::to_string(text.size()));
  }
  refuse_deep_keys(text, where);
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    throw ArgumentError("[" + where + "] line " + std::to_string(at.line) + ", column " +
                        std::to_string(at.column) +
                        ": expected TOML, got an error: " + std::string(error.description()));
  }
}

}  // namespace

RunConfig parse(std::string_view toml, const std::string& where) {
  const toml::table root = read_toml(toml, where);
  Reader reader(root);
  RunConfig config = reader.read();
  const std::vector<Fault> faults = reader.faults();
  if (faults.empty()) return config;
  const auto text = [](const Fault& fault) {
    return "line " + std::to_string(fault.line) + ": " + fault.text;
  };
  std::string message = "[" + where + "] ";
  if (faults.size() == 1) throw ArgumentError(message + text(faults.front()));
  message += std::to_string(faults.size()) + " problems:";
  for (const Fault& fault : faults) message += "\n  " + text(fault);
  throw ArgumentError(message);
}

std::string to_toml(const RunConfig& config) {
  RunConfig copy = config;  // fields() hands out references that may be written
  std::string out =
      "# A run of tinta: every key, resolved. `tinta config check` explains mistakes.\n";
  copy.sections([&](const char* table, auto& section) {
    out += "\n[" + std::string(table) + "]\n";
    section.fields([&](const char* key, auto& value) {
      out += std::string(key) + " = " + to_text(value) + "\n";
    });
  });
  return out;
}

}  // namespace tinta::config
