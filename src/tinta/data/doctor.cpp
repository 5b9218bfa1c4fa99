#include "tinta/data/doctor.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <map>

#include "tinta/config/config.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/data/arrays.h"
#include "tinta/data/content_hash.h"
#include "tinta/data/dataset.h"
#include "tinta/data/folder.h"
#include "tinta/data/info.h"
#include "tinta/data/sources.h"
#include "tinta/io/image.h"

namespace tinta::data {
namespace {

constexpr std::int64_t kSmall = 64;
constexpr std::int64_t kElongated = 4;
constexpr std::int64_t kTinyClass = 10;
constexpr std::int64_t kUnbalanced = 10;
constexpr int kNarrow = 64;  // of 256

/// What is seen of one picture.
struct Seen {
  std::string name;
  std::size_t split = 0;
  std::int64_t label = -1;
  std::string error{};  ///< why it cannot be read
  std::uint64_t hash = 0;
  std::int64_t channels = 0, height = 0, width = 0;
  std::uint8_t low = 255, high = 0;  ///< of its bytes
  bool flat = false;
};

void look_at(const at::Tensor& picture, Seen& seen) {
  seen.channels = picture.size(0);
  seen.height = picture.size(1);
  seen.width = picture.size(2);
  const at::Tensor planes = picture.contiguous();
  const std::int64_t pixels = seen.height * seen.width;
  const std::uint8_t* const first = planes.const_data_ptr<std::uint8_t>();
  seen.flat = pixels > 1;
  for (std::int64_t c = 0; c < seen.channels && seen.flat; ++c) {
    const std::uint8_t* const plane = first + c * pixels;
    seen.flat = std::all_of(plane, plane + pixels, [&](std::uint8_t b) { return b == *plane; });
  }
  const auto [low, high] = std::minmax_element(first, first + seen.channels * pixels);
  seen.low = *low, seen.high = *high;
}

/// Pictures of one split, and how to look at each.
struct Subject {
  std::string split;
  std::vector<Seen> pictures{};
  std::vector<std::string> class_names{};
  std::int64_t classes = 0;
  std::vector<std::string> passed_over{};
  std::function<void(std::int64_t, Seen&)> look{};
};

Subject subject_of(const FolderListing& listing, Split split) {
  Subject subject{.split = to_string(split),
                  .class_names = listing.class_names,
                  .classes = static_cast<std::int64_t>(listing.class_names.size()),
                  .passed_over = listing.passed_over};
  for (std::size_t i = 0; i < listing.files.size(); ++i) {
    subject.pictures.push_back(
        {.name = listing.files[i], .label = listing.labels.empty() ? -1 : listing.labels[i]});
  }
  subject.look = [root = listing.root](std::int64_t /*index*/, Seen& seen) {
    const std::string path = (root / seen.name).string();
    try {
      const std::vector<std::byte> bytes = read_bytes(path);
      seen.hash = content_hash(bytes);
      look_at(io::decode_image(bytes, path), seen);
    } catch (const Error& error) {
      const std::string what = error.what(), prefix = "[" + path + "] ";
      seen.error = what.starts_with(prefix) ? what.substr(prefix.size()) : what;
    }
  };
  return subject;
}

Subject subject_of(const Dataset& dataset, Split split) {
  require_valid(dataset);
  Subject subject{
      .split = to_string(split), .class_names = dataset.class_names, .classes = dataset.classes};
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    subject.pictures.push_back({.name = subject.split + " picture " + std::to_string(i),
                                .label = dataset.labels.defined()
                                             ? dataset.labels.const_data_ptr<std::int64_t>()[i]
                                             : -1});
  }
  const std::int64_t bytes = dataset.images.numel() / dataset.size();
  subject.look = [images = dataset.images, bytes](std::int64_t index, Seen& seen) {
    const auto* const first =
        reinterpret_cast<const std::byte*>(images.const_data_ptr<std::uint8_t>() + index * bytes);
    seen.hash = content_hash({first, static_cast<std::size_t>(bytes)});
    look_at(images[index], seen);
  };
  return subject;
}

std::vector<Subject> subjects_of(const Source& source, const config::DataConfig& config,
                                 const Sinks& sinks) {
  std::vector<Subject> subjects;
  for (const Split split : source.splits(config)) {
    // Those that are packed are looked at as they are, in their own order.
    if (source.name == "folder") {
      subjects.push_back(subject_of(list_folder(config.path, split), split));
    } else if (source.name == "arrays") {
      subjects.push_back(subject_of(read_arrays(config.path, split), split));
    } else {
      subjects.push_back(subject_of(source.open(config, split, sinks, {}), split));
    }
  }
  return subjects;
}

void look(Subject& subject, const Sinks& sinks) {
  constexpr std::int64_t kPart = 256;
  const auto count = static_cast<std::int64_t>(subject.pictures.size());
  for (std::int64_t first = 0; first < count; first += kPart) {
    const std::int64_t last = std::min(first + kPart, count);
    at::parallel_for(first, last, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        subject.look(i, subject.pictures[static_cast<std::size_t>(i)]);
      }
    });
    sinks.report({.what = "examining", .done = last, .total = count});
  }
}

SplitSummary summary_of(const Subject& subject) {
  SplitSummary summary{
      .name = subject.split,
      .count = static_cast<std::int64_t>(subject.pictures.size()),
      .class_names = subject.class_names,
      .class_counts = std::vector<std::int64_t>(static_cast<std::size_t>(subject.classes), 0)};
  for (const Seen& seen : subject.pictures) {
    if (seen.label >= 0) ++summary.class_counts[static_cast<std::size_t>(seen.label)];
    if (!seen.error.empty()) continue;
    const bool first = summary.readable++ == 0;
    ++(seen.channels == 1 ? summary.grey : summary.colour);
    const auto low = [&](std::int64_t a, std::int64_t b) { return first ? b : std::min(a, b); };
    summary.least_height = low(summary.least_height, seen.height);
    summary.least_width = low(summary.least_width, seen.width);
    summary.largest_height = std::max(summary.largest_height, seen.height);
    summary.largest_width = std::max(summary.largest_width, seen.width);
  }
  return summary;
}

std::string pictures(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " picture" : " pictures");
}

class Report {
 public:
  explicit Report(std::vector<Finding>& findings) : findings_(findings) {}

  /// Adds a finding where there are examples. @param text what follows "3 pictures"
  void add(Severity severity, const std::string& kind, const std::string& text,
           std::vector<std::string> examples) {
    if (examples.empty()) return;
    findings_.push_back(
        {severity, kind, pictures(examples.size()) + " " + text, std::move(examples)});
  }

 private:
  std::vector<Finding>& findings_;
};

void report_each(const std::vector<Seen>& all, bool resized, Report& report) {
  std::vector<std::string> unreadable, small, elongated, flat;
  for (const Seen& seen : all) {
    const std::string size = std::to_string(seen.height) + " x " + std::to_string(seen.width);
    const auto [shorter, longer] = std::minmax(seen.height, seen.width);
    if (!seen.error.empty()) {
      unreadable.push_back(seen.name + ": " + seen.error);
      continue;
    }
    if (resized && shorter < kSmall) small.push_back(seen.name + ": " + size);
    if (longer > kElongated * shorter) elongated.push_back(seen.name + ": " + size);
    if (seen.flat) flat.push_back(seen.name);
  }
  report.add(Severity::error, "unreadable", "cannot be read", std::move(unreadable));
  report.add(Severity::warning, "small",
             "with a side below 64 pixels, which may have to be enlarged", std::move(small));
  report.add(Severity::warning, "elongated",
             "more than four times as long as wide, of which most is cut off",
             std::move(elongated));
  report.add(Severity::warning, "flat", "of one colour alone", std::move(flat));
}

// Of all pictures together: what they have in common, and what they have not.
void report_all(const std::vector<Seen>& all, std::vector<Finding>& findings) {
  std::vector<std::string> grey, colour;
  int low = 255, high = 0;
  for (const Seen& seen : all) {
    if (!seen.error.empty()) continue;
    (seen.channels == 1 ? grey : colour).push_back(seen.name);
    low = std::min<int>(low, seen.low), high = std::max<int>(high, seen.high);
  }
  if (!grey.empty() && !colour.empty()) {
    const bool few = grey.size() < colour.size();
    findings.push_back({Severity::warning, "channels",
                        pictures((few ? grey : colour).size()) + (few ? " in grey" : " in colour") +
                            " among " + std::to_string((few ? colour : grey).size()) +
                            (few ? " in colour" : " in grey") +
                            "; data.channels says what all become",
                        few ? std::move(grey) : std::move(colour)});
  }
  if (low <= high && high - low < kNarrow) {
    findings.push_back({Severity::warning,
                        "range",
                        "all values lie in " + std::to_string(low) + ".." + std::to_string(high) +
                            ", of the 0..255 that bytes have; were they stored as another type?",
                        {}});
  }
}

void report_copies(const std::vector<Seen>& all, Report& report) {
  std::map<std::uint64_t, const Seen*> first;
  std::vector<std::string> copies, across, disagreeing;
  for (const Seen& seen : all) {
    if (!seen.error.empty()) continue;
    const auto [at, fresh] = first.emplace(seen.hash, &seen);
    if (fresh) continue;
    const Seen& other = *at->second;
    const std::string pair = seen.name + " = " + other.name;
    (seen.split == other.split ? copies : across).push_back(pair);
    if (seen.label != other.label) disagreeing.push_back(pair);
  }
  report.add(Severity::warning, "copies", "that are copies of others", std::move(copies));
  report.add(Severity::warning, "copies-across-splits",
             "of a held-out split that are copies of training pictures", std::move(across));
  report.add(Severity::warning, "labels-disagree", "with another label than their copies",
             std::move(disagreeing));
}

void report_classes(const SplitSummary& split, std::vector<Finding>& findings) {
  if (split.class_counts.empty()) return;
  std::vector<std::string> tiny;
  for (std::size_t i = 0; i < split.class_counts.size(); ++i) {
    if (split.class_counts[i] >= kTinyClass) continue;
    tiny.push_back(
        (split.class_names.empty() ? "class " + std::to_string(i) : split.class_names[i]) + ": " +
        pictures(static_cast<std::size_t>(split.class_counts[i])));
  }
  if (!tiny.empty()) {
    findings.push_back({Severity::warning, "tiny-class",
                        std::to_string(tiny.size()) + " of " +
                            std::to_string(split.class_counts.size()) + " classes of " +
                            split.name + " have fewer than 10 pictures",
                        tiny});
  }
  const auto [least, most] = std::ranges::minmax(split.class_counts);
  if (least >= kTinyClass && most >= kUnbalanced * least) {
    findings.push_back({Severity::warning,
                        "unbalanced",
                        "a class of " + split.name + " has " + std::to_string(most) +
                            " pictures, another " + std::to_string(least) +
                            "; data.balance=true draws each equally often",
                        {}});
  }
}

}  // namespace

bool Examination::sound() const {
  return std::ranges::none_of(findings,
                              [](const Finding& f) { return f.severity == Severity::error; });
}

Examination examine(const std::string& path, const Sinks& sinks) {
  const Source& source = find_source(detect_source(path));
  config::DataConfig config = config::preset(source.name).data;
  config.path = path;
  Examination examination{.source = source.name, .format = source.format};
  std::vector<Seen> all;
  Report report(examination.findings);
  std::vector<std::string> passed_over;
  for (Subject& subject : subjects_of(source, config, sinks)) {
    look(subject, sinks);
    examination.splits.push_back(summary_of(subject));
    for (Seen& seen : subject.pictures) {
      seen.split = examination.splits.size();
      all.push_back(std::move(seen));
    }
    std::ranges::move(subject.passed_over, std::back_inserter(passed_over));
  }
  report_each(all, source.name == "folder", report);
  report_all(all, examination.findings);
  report_copies(all, report);
  for (const SplitSummary& split : examination.splits) {
    report_classes(split, examination.findings);
  }
  if (!passed_over.empty()) {
    examination.findings.push_back(
        {Severity::warning, "passed-over",
         std::to_string(passed_over.size()) + " files that are no PNG, JPEG or WebP by their names",
         passed_over});
  }
  return examination;
}

}  // namespace tinta::data
