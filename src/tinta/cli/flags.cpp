#include "tinta/cli/flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <limits>

#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

/// "--per_class=5" -> "--per-class=5"; values and what follows "--" stay as they are.
std::vector<std::string> with_dashes(std::vector<std::string> words) {
  for (std::string& word : words) {
    if (word == "--") break;
    if (!word.starts_with("--")) continue;
    std::replace(word.begin(),
                 word.begin() + static_cast<std::ptrdiff_t>(std::min(word.find('='), word.size())),
                 '_', '-');
  }
  return words;
}

std::string quoted(const std::string& text) { return config::to_text(text); }

/// CLI11 puts two empty lines between the groups of a help text.
std::string without_double_blanks(std::string text) {
  for (std::size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n")) {
    text.erase(at, 1);
  }
  return text;
}

/// The last of "-n,--count", which is the long one.
std::string label_of(const Flag& flag) {
  const std::vector<std::string> names = split(flag.names, ',');
  return names.back().starts_with("-") ? names.back() : flag.value;
}

}  // namespace

Flags::Flags(const std::string& command, const std::string& summary, const std::string& footer,
             Environment environment)
    : command_(command),
      environment_(std::move(environment)),
      app_(std::make_unique<CLI::App>(summary, "tinta " + command)) {
  app_->set_help_flag("-h,--help", "show this help");
  app_->allow_extras();  // refused in refuse_extras(), with a suggestion
  app_->footer(footer);
  app_->get_formatter()->column_width(28);
  app_->get_formatter()->label("REQUIRED", "");
}

Flags::~Flags() = default;

CLI::Option* Flags::add(const Flag& flag, Reader read) {
  std::string help = flag.help;
  if (!flag.variable.empty()) help += " [" + flag.variable + "]";
  CLI::Option* option = app_->add_option(
      flag.names, [](const CLI::results_t&) { return true; }, help);
  option->type_name(flag.value)->expected(1)->allow_extra_args(false);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  if (flag.names.starts_with("-")) option->group(heading_);
  entries_.push_back({option, label_of(flag), flag.variable, std::move(read)});
  return option;
}

void Flags::on(const Flag& flag, bool& value) {
  app_->add_flag(flag.names, value, flag.help)->group(heading_);
}

void Flags::text(const Flag& flag, std::string& value) {
  add(flag, [this, &value](const std::string& label, const Words& words) {
    value = only(label, words);
    if (value.empty()) fail(label, "a value", "nothing");
  });
}

void Flags::text(const Flag& flag, std::optional<std::string>& value) {
  add(flag,
      [this, &value](const std::string& label, const Words& words) { value = only(label, words); });
}

void Flags::required(const Flag& flag, std::string& value) {
  text(flag, value);
  entries_.back().option->required();
}

void Flags::texts(const Flag& flag, std::vector<std::string>& values) {
  add(flag, [&values](const std::string&, const Words& words) { values = words; });
}

void Flags::required(const Flag& flag, std::vector<std::string>& values) {
  texts(flag, values);
  constexpr int kNoLimit = -1;
  entries_.back().option->expected(1, kNoLimit)->allow_extra_args()->required();
}

void Flags::wholes(const Flag& flag, std::vector<std::int64_t>& values, std::int64_t low) {
  add(flag, [this, &values, low](const std::string& label, const Words& words) {
    std::vector<std::int64_t> read;
    for (const std::string& word : words) {
      for (const std::string& part : split(word, ',')) {
        read.push_back(number_from(label, part, low));
      }
    }
    if (read.empty()) fail(label, "at least one value", "none");
    values = std::move(read);
  });
}

void Flags::whole(const Flag& flag, std::int64_t& value, std::int64_t low) {
  add(flag, [this, &value, low](const std::string& label, const Words& words) {
    value = number_from(label, only(label, words), low);
  });
}

void Flags::whole(const Flag& flag, std::optional<std::int64_t>& value, std::int64_t low) {
  add(flag, [this, &value, low](const std::string& label, const Words& words) {
    value = number_from(label, only(label, words), low);
  });
}

void Flags::whole_or(const Flag& flag, std::optional<std::int64_t>& value, std::int64_t low,
                     const std::string& word, bool& chosen) {
  add(flag, [this, &value, low, word, &chosen](const std::string& label, const Words& words) {
    const std::string& given = only(label, words);
    std::int64_t read = 0;
    chosen = given == word;
    if (chosen) return;
    if (!config::from_text(given, read) || read < low) {
      fail(label, word + " or a whole number of at least " + std::to_string(low), quoted(given));
    }
    value = read;
  });
}

void Flags::seed(const Flag& flag, std::uint64_t& value) {
  add(flag, [this, &value](const std::string& label, const Words& words) {
    value = number_from(label, only(label, words), std::uint64_t{0});
  });
}

void Flags::seed(const Flag& flag, std::optional<std::uint64_t>& value) {
  add(flag, [this, &value](const std::string& label, const Words& words) {
    value = number_from(label, only(label, words), std::uint64_t{0});
  });
}

void Flags::number(const Flag& flag, std::optional<double>& value, double low, double high) {
  add(flag, [this, &value, low, high](const std::string& label, const Words& words) {
    const std::string& word = only(label, words);
    double read = 0;
    if (!config::from_text(word, read) || !(read >= low && read <= high) || !std::isfinite(read)) {
      const bool open = std::isinf(high) || high == std::numeric_limits<double>::max();
      fail(label,
           open ? "a number of at least " + shortest(low)
                : "a number from " + shortest(low) + " to " + shortest(high),
           quoted(word));
    }
    value = read;
  });
}

void Flags::name(const Flag& flag, std::string& value, const std::vector<std::string>& known) {
  add(flag, [this, &value, known](const std::string& label, const Words& words) {
    value = known_word(label, words, known);
  });
}

void Flags::name(const Flag& flag, std::optional<std::string>& value,
                 const std::vector<std::string>& known) {
  add(flag, [this, &value, known](const std::string& label, const Words& words) {
    value = known_word(label, words, known);
  });
}

void Flags::device(const Flag& flag, config::Machine& machine) {
  using config::Device;
  add(flag, [this, &machine](const std::string& label, const Words& words) {
    const std::string kCuda = "cuda:";
    if (const std::string& word = only(label, words); word.starts_with(kCuda)) {
      machine.gpu = number_from(label, word.substr(kCuda.size()), std::int64_t{0});
      machine.device = Device::cuda;
      return;
    }
    const std::string word = known_word(label, words, {"auto", "cpu", "cuda"});
    machine.gpu = 0;
    machine.device = word == "auto"  ? Device::automatic
                     : word == "cpu" ? Device::cpu
                                     : Device::cuda;
  });
}

bool Flags::given(const std::string& long_name) const {
  const CLI::Option* option = app_->get_option_no_throw(long_name);
  return option != nullptr && option->count() > 0;
}

std::optional<std::string> Flags::parse(const std::vector<std::string>& words) {
  std::vector<std::string> reversed = with_dashes(words);
  std::reverse(reversed.begin(), reversed.end());  // CLI11 takes words from the back
  try {
    app_->parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return without_double_blanks(app_->help());
  } catch (const CLI::RequiredError&) {
    refuse_extras(app_->remaining());  // a mistyped flag is the likelier cause
    fail_missing();
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();
    fail(text.substr(0, text.find(':')), "a value", "none");
  } catch (const CLI::ParseError& error) {
    throw ArgumentError("[" + command_ + "] expected other arguments, got: " + error.what());
  }
  refuse_extras(app_->remaining());
  for (const Entry& entry : entries_) {
    if (entry.option->count() > 0) {
      entry.read(entry.label, entry.option->results());
    } else if (const auto value =
                   entry.variable.empty() ? std::nullopt : environment_(entry.variable)) {
      entry.read(entry.variable, {*value});
    }
  }
  return std::nullopt;
}

void Flags::fail_missing() const {
  for (const Entry& entry : entries_) {
    if (entry.option->get_required() && entry.option->count() == 0) {
      throw ArgumentError("[" + command_ + "] expected " + entry.label + ", got none; see tinta " +
                          command_ + " --help");
    }
  }
  throw ArgumentError("[" + command_ + "] expected more arguments");
}

void Flags::refuse_extras(const Words& extras) const {
  for (const std::string& extra : extras) {
    if (extra == "--") continue;
    const std::string word = extra.substr(0, extra.find('='));
    if (!word.starts_with("-")) {
      throw ArgumentError("[" + command_ + "] expected no more arguments, got " + quoted(extra));
    }
    Words known;
    for (const CLI::Option* option : app_->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    const std::string near = nearest(word, known);
    throw ArgumentError("[" + command_ + "] expected a known option, got " + quoted(word) +
                        (near.empty() ? "; see tinta " + command_ + " --help"
                                      : ": did you mean \"" + near + "\"?"));
  }
}

std::string Flags::known_word(const std::string& label, const Words& words,
                              const Words& known) const {
  const std::string& word = only(label, words);
  if (std::find(known.begin(), known.end(), word) == known.end()) {
    fail(label, "a known name", quoted(word) + suggestion(word, known));
  }
  return word;
}

const std::string& Flags::only(const std::string& label, const Words& words) const {
  if (words.size() != 1) fail(label, "one value", std::to_string(words.size()));
  return words.front();
}

template <class Number>
Number Flags::number_from(const std::string& label, const std::string& word, Number low) const {
  Number read{};
  if (!config::from_text(word, read) || read < low) {
    fail(label, "a whole number of at least " + std::to_string(low), quoted(word));
  }
  return read;
}

void Flags::fail(const std::string& label, const std::string& expected,
                 const std::string& got) const {
  throw ArgumentError("[" + command_ + "] " + label + ": expected " + expected + ", got " + got);
}

}  // namespace tinta::cli
