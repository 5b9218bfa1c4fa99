#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/cli/environment.h"
#include "tinta/config/options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tinta::cli {

/// How one flag is called and explained.
struct Flag {
  std::string names;  ///< "-n,--count"; a positional has no dashes
  std::string help;
  std::string value = "";     ///< what its value is called in the help, "N"
  std::string variable = "";  ///< environment variable that stands in for it
};

/// The flags of one command: names, help, and where each value goes. CLI11 cuts the words apart and
/// lays out the help; values are read and refused here, so that every message has one form and says
/// whether a flag or a variable was wrong. An underscore in a flag's name counts as a dash.
class Flags {
 public:
  /// @param command "train"; @param footer examples, shown under the help
  Flags(const std::string& command, const std::string& summary, const std::string& footer,
        Environment environment);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  /// Later flags go under this heading of the help.
  void heading(const std::string& heading) { heading_ = heading; }

  void on(const Flag& flag, bool& value);
  void text(const Flag& flag, std::string& value);
  void text(const Flag& flag, std::optional<std::string>& value);
  /// A positional that must be there.
  void required(const Flag& flag, std::string& value);
  /// May come more than once.
  void texts(const Flag& flag, std::vector<std::string>& values);
  /// A positional that must be there and may come more than once.
  void required(const Flag& flag, std::vector<std::string>& values);
  /// A list with commas; may come more than once.
  void wholes(const Flag& flag, std::vector<std::int64_t>& values, std::int64_t low);
  void whole(const Flag& flag, std::int64_t& value, std::int64_t low);
  void whole(const Flag& flag, std::optional<std::int64_t>& value, std::int64_t low);
  /// A whole number, or one word that stands for another choice.
  void whole_or(const Flag& flag, std::optional<std::int64_t>& value, std::int64_t low,
                const std::string& word, bool& chosen);
  void seed(const Flag& flag, std::uint64_t& value);
  void seed(const Flag& flag, std::optional<std::uint64_t>& value);
  /// Finite and in [low, high].
  void number(const Flag& flag, std::optional<double>& value, double low, double high);
  /// One of some names.
  void name(const Flag& flag, std::string& value, const std::vector<std::string>& known);
  void name(const Flag& flag, std::optional<std::string>& value,
            const std::vector<std::string>& known);
  template <class Enum>
  void choice(const Flag& flag, Enum& value,
              const std::vector<std::pair<std::string, Enum>>& known) {
    std::vector<std::string> names;
    for (const auto& entry : known) names.push_back(entry.first);
    add(flag, [this, &value, known, names](const std::string& label, const Words& words) {
      const std::string word = known_word(label, words, names);
      for (const auto& [name, meaning] : known) {
        if (name == word) value = meaning;
      }
    });
  }

  /// auto, cpu, cuda, or cuda:N.
  void device(const Flag& flag, config::Machine& machine);

  /// Whether the flag of that long name came as a word (not as a variable).
  [[nodiscard]] bool given(const std::string& long_name) const;

  /// Reads the words after the command's name.
  /// @return the help text where it was asked for
  /// @throws ArgumentError on an unknown flag or name (nearest suggested) or a wrong value
  std::optional<std::string> parse(const std::vector<std::string>& words);

 private:
  using Words = std::vector<std::string>;
  using Reader = std::function<void(const std::string& label, const Words& words)>;
  struct Entry {
    CLI::Option* option;
    std::string label;  ///< "--steps" or "RUN"
    std::string variable;
    Reader read;
  };

  CLI::Option* add(const Flag& flag, Reader read);
  std::string known_word(const std::string& label, const Words& words, const Words& known) const;
  const std::string& only(const std::string& label, const Words& words) const;
  template <class Number>
  Number number_from(const std::string& label, const std::string& word, Number low) const;
  void refuse_extras(const Words& extras) const;
  [[noreturn]] void fail_missing() const;
  [[noreturn]] void fail(const std::string& label, const std::string& expected,
                         const std::string& got) const;

  std::string command_;
  std::string heading_ = "Options";
  Environment environment_;
  std::unique_ptr<CLI::App> app_;
  std::vector<Entry> entries_;
};

}  // namespace tinta::cli
