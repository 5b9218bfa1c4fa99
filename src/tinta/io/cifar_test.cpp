#include "tinta/io/cifar.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "tinta/io/golden_testing.h"
#include "tinta/io/mutation_testing.h"
#include "tinta/io/pickle.h"
#include "tinta/io/tar.h"

namespace tinta::io {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::golden;
using ::testing::HasSubstr;
using testing::refusal;
using Bytes = std::vector<std::byte>;
using Parser = LabelledImages (*)(std::span<const std::byte>, Cifar, const std::string&);

struct Form {
  const char* file;
  Cifar kind;
  Parser parse;
  std::vector<std::int64_t> labels;
};

const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {"cifar10.bin", Cifar::ten, parse_cifar_binary, {3, 0, 9}},
      {"cifar100.bin", Cifar::hundred, parse_cifar_binary, {99, 0, 42}},
      {"cifar10-batch.pickle", Cifar::ten, parse_cifar_pickle, {3, 0, 9}},
      {"cifar10-fortran.pickle", Cifar::ten, parse_cifar_pickle, {3, 0, 9}},
      {"cifar100-train.pickle", Cifar::hundred, parse_cifar_pickle, {99, 0, 42}}};
  return all;
}

Bytes bytes_of_text(std::string_view text) {
  const auto all = std::as_bytes(std::span(text));
  return {all.begin(), all.end()};
}

std::string pickle_refusal(std::string_view text) {
  return refusal([&] { parse_pickle(bytes_of_text(text), "f"); });
}

using namespace std::string_view_literals;

TEST(Cifar, EveryFormHoldsTheSamePicturesAndLabels) {
  for (const Form& form : forms()) {
    const LabelledImages batch = form.parse(golden(form.file), form.kind, form.file);
    ASSERT_EQ(batch.images.sizes(), at::IntArrayRef({3, 3, 32, 32})) << form.file;
    const std::int64_t* const labels = batch.labels.const_data_ptr<std::int64_t>();
    EXPECT_EQ(std::vector<std::int64_t>(labels, labels + 3), form.labels) << form.file;
    const std::uint8_t* const pixels = batch.images.const_data_ptr<std::uint8_t>();
    for (int i = 0; i < 3; ++i) {
      for (int p = 0; p < 3072; ++p) ASSERT_EQ(pixels[i * 3072 + p], (7 * i + p) % 251);
    }
  }
}

TEST(Cifar, DamagedFilesAreRefusedOrReadNeverWorse) {
  for (const Form& form : forms()) {
    const auto parse = [&](std::span<const std::byte> bytes) {
      const LabelledImages batch = form.parse(bytes, form.kind, form.file);
      EXPECT_GE(batch.labels.min().item<int>(), 0);
      EXPECT_LT(batch.labels.max().item<int>(), classes_of(form.kind));
    };
    EXPECT_GT(testing::refusals(golden(form.file), 2000, parse), 900) << form.file;
  }
}

TEST(Cifar, ARecordThatIsCutOrALabelOutOfRangeIsNamedWithItsPlace) {
  Bytes bytes = golden("cifar10.bin");
  const auto message = [&] { return refusal([&] { parse_cifar_binary(bytes, Cifar::ten, "f"); }); };
  bytes[3073] = std::byte{10};
  EXPECT_THAT(message(), HasSubstr("[f] byte 3073: expected a label from 0 to 9, got 10"));
  bytes.pop_back();
  EXPECT_THAT(message(), HasSubstr("byte 6146: expected records of 3073 bytes, got 3072 of the "));
  bytes.clear();
  EXPECT_THAT(message(), HasSubstr("expected records of 3073 bytes"));
}

TEST(Cifar, APickleOfTheOtherSetLacksItsLabels) {
  EXPECT_THAT(
      refusal([] { parse_cifar_pickle(golden("cifar10-batch.pickle"), Cifar::hundred, "f"); }),
      HasSubstr("expected the key \"fine_labels\", got none"));
}

TEST(Cifar, LabelsOfAPickleAreAsManyAsItsPicturesAndInRange) {
  Bytes bytes = golden("cifar10-batch.pickle");
  // The labels' list: ']', its place in memory, '(', then K and a byte for each.
  const Bytes list = bytes_of_text("(K\x03K\0K\x09"sv);
  const auto at = std::ranges::search(bytes, list).begin();
  ASSERT_NE(at, bytes.end());
  at[2] = std::byte{11};
  EXPECT_THAT(refusal([&] { parse_cifar_pickle(bytes, Cifar::ten, "f"); }),
              AllOf(HasSubstr("expected a label from 0 to 9, got 11"),
                    HasSubstr("byte " + std::to_string(at - bytes.begin() + 1) + ":")));
  bytes.erase(at + 1, at + 3);
  EXPECT_THAT(refusal([&] { parse_cifar_pickle(bytes, Cifar::ten, "f"); }),
              HasSubstr("expected a label for each of 3 pictures, got 2"));
}

TEST(Cifar, NamesAreReadFromBothForms) {
  const auto names = parse_cifar_meta(golden("cifar10-meta.pickle"), Cifar::ten, "f");
  ASSERT_EQ(names.size(), 10);
  EXPECT_EQ(names[9], "name9");
  std::string text;
  for (int i = 0; i < 10; ++i) text += "name" + std::to_string(i) + "\r\n";
  EXPECT_EQ(parse_cifar_names(text + "\n", Cifar::ten, "f"), names);
  EXPECT_THAT(refusal([&] { parse_cifar_names(text, Cifar::hundred, "f"); }),
              HasSubstr("expected the names of 100 classes, got 10"));
  text.replace(0, 5, "");
  EXPECT_THAT(refusal([&] { parse_cifar_names(text, Cifar::ten, "f"); }),
              HasSubstr("got an empty one"));
}

// What a pickle may run is what makes it dangerous; each of these runs something in Python.
TEST(Pickle, NothingIsRunAndWhatWouldRunIsRefusedWithItsPlace) {
  EXPECT_THAT(pickle_refusal("\x80\x02"
                             "cos\nsystem\nU\x02lsR."sv),
              HasSubstr("byte 2: expected nothing but NumPy's arrays, got \"os.system\""));
  EXPECT_THAT(pickle_refusal("\x80\x02(ios\nsystem\n."sv), HasSubstr("byte 3: expected an opcode"));
  EXPECT_THAT(pickle_refusal("\x80\x02"
                             "cnumpy\nload\n."sv),
              HasSubstr("\"numpy.load\""));
  EXPECT_THAT(pickle_refusal("\x80\x02"
                             "cnumpy\nndarray\nK\x05\x85R."sv),
              HasSubstr("got another call, which is not run"));
  EXPECT_THAT(pickle_refusal("\x80\x04\x95."sv), HasSubstr("expected pickle protocol 2, got 4"));
  EXPECT_THAT(pickle_refusal("S'text'\n."sv), HasSubstr("byte 0: expected a pickle of protocol 2"));
}

TEST(Pickle, AStackThatDoesNotFitIsRefused) {
  EXPECT_THAT(pickle_refusal("\x80\x02."sv), HasSubstr("expected one value"));
  EXPECT_THAT(pickle_refusal("\x80\x02K\x01K\x02."sv), HasSubstr("expected one value"));
  EXPECT_THAT(pickle_refusal("\x80\x02]K\x01.more"sv), HasSubstr("expected one value"));
  EXPECT_THAT(pickle_refusal("\x80\x02N.more"sv), HasSubstr("expected the pickle to end"));
  EXPECT_THAT(pickle_refusal("\x80\x02\x87."sv), HasSubstr("expected 3 values"));
  EXPECT_THAT(pickle_refusal("\x80\x02K\x01(\x85."sv), HasSubstr("expected 1 values"));
  EXPECT_THAT(pickle_refusal("\x80\x02"
                             "e."sv),
              HasSubstr("expected a mark"));
  EXPECT_THAT(pickle_refusal("\x80\x02(q\x01."sv), HasSubstr("expected a value"));
  EXPECT_THAT(pickle_refusal("\x80\x02}K\x01K\x02s."sv), HasSubstr("expected texts as keys"));
  EXPECT_THAT(pickle_refusal("\x80\x02U\x09"
                             "abc"sv),
              HasSubstr("expected 9 bytes of text, got 3"));
}

TEST(Pickle, MemoryKeepsPlainValuesOnly) {
  const PickleValue pair = parse_pickle(bytes_of_text("\x80\x02U\x02hiq\x01h\x01\x86."sv), "f");
  ASSERT_EQ(pair.items.size(), 2);
  EXPECT_EQ(pair.items[0].kind, PickleValue::Kind::text);
  EXPECT_EQ(pair.items[1].kind, PickleValue::Kind::text);
  // A list that holds itself.
  EXPECT_THAT(pickle_refusal("\x80\x02]q\x01h\x01"
                             "a."sv),
              HasSubstr("got a container"));
  EXPECT_THAT(pickle_refusal("\x80\x02h\x07."sv), HasSubstr("place 7 of the memory, got none"));
}

TEST(Pickle, NestingHasALimit) {
  std::string deep = "\x80\x02K\x01";
  EXPECT_EQ(pickle_refusal(deep + std::string(8, '\x85') + "."), "no error");
  EXPECT_THAT(pickle_refusal(deep + std::string(9, '\x85') + "."), HasSubstr("8 levels"));
}

TEST(Tar, WantedFilesAreReadAndOthersPassedOver) {
  const Bytes packed = golden("cifar.tar.gz");
  const auto wanted = [](const std::string& name) { return name.ends_with(".bin"); };
  const auto members = read_tar_gz(packed, "f", wanted, 1 << 20);
  ASSERT_EQ(members.size(), 1);
  EXPECT_EQ(members[0].name, "cifar-10-batches-bin/test_batch.bin");
  EXPECT_EQ(members[0].content, golden("cifar10.bin"));
  EXPECT_THAT(refusal([&] { read_tar_gz(packed, "f", wanted, 100); }),
              HasSubstr("expected a plain file of at most 100 bytes"));
}

TEST(Tar, AFileThatIsNoneOrIsCutOrHasAnotherChecksumIsRefused) {
  const auto wanted = [](const std::string&) { return true; };
  const auto message = [&](const Bytes& bytes) {
    return refusal([&] { read_tar_gz(bytes, "f", wanted, 1 << 20); });
  };
  const Bytes packed = golden("cifar.tar.gz");
  EXPECT_THAT(message(golden("cifar10.bin")), HasSubstr("without gzip's magic"));
  EXPECT_THAT(message(golden("images.idx.gz")), HasSubstr("well-formed tar"));
  EXPECT_THAT(message({packed.begin(), packed.end() - 9}), HasSubstr("expected more packed data"));
  Bytes flipped = packed;
  flipped[packed.size() - 6] ^= std::byte{1};
  EXPECT_THAT(message(flipped), HasSubstr("expected well-formed packed data"));
  EXPECT_GT(testing::refusals(packed, 1000,
                              [&](std::span<const std::byte> bytes) {
                                read_tar_gz(bytes, "f", wanted, 1 << 20);
                              }),
            700);
}

}  // namespace
}  // namespace tinta::io
