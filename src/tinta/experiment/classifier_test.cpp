#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"
#include "tinta/core/test_folder.h"
#include "tinta/evaluation/share.h"
#include "tinta/experiment/classifier_file.h"
#include "tinta/experiment/classifier_training.h"
#include "tinta/io/safetensors.h"
#include "tinta/kernels/random.h"
#include "tinta/model/init.h"

namespace tinta::experiment {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// Noise with a bright patch whose corner of the picture is the class: 4 classes, 16 x 16 grey.
data::Dataset corners(std::int64_t count, std::uint64_t first) {
  at::Tensor images = kernels::normal({count, 1, 16, 16}, {.seed = 4, .sample = first}) * 30 + 100;
  const at::Tensor labels = at::arange(count, at::kLong) % 4;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t label = i % 4;
    images[i][0].narrow(0, label / 2 * 8, 8).narrow(1, label % 2 * 8, 8) += 60;
  }
  return {.name = "corners",
          .images = images.clamp(0, 255).to(at::kByte).contiguous(),
          .labels = labels,
          .classes = 4};
}

ClassifierTask task_of(const data::Dataset& dataset) {
  return {.train = dataset, .features = 8, .batch = 16, .epochs = 3};
}

TEST(OneCycle, RisesForAFifthAndFallsToZeroInStraightLines) {
  EXPECT_DOUBLE_EQ(one_cycle(0.1), 0.5);
  EXPECT_DOUBLE_EQ(one_cycle(0.2), 1);
  EXPECT_DOUBLE_EQ(one_cycle(0.6), 0.5);
  EXPECT_DOUBLE_EQ(one_cycle(1), 0);
  EXPECT_DOUBLE_EQ(one_cycle(2), 0);
  EXPECT_GT(one_cycle(0), 0);  // the first step moves something
}

TEST(ChosenBatch, LeavesAnEpochSixtyFourStepsWhereItCan) {
  EXPECT_EQ(chosen_batch(50000), 128);
  EXPECT_EQ(chosen_batch(128 * 64), 128);
  EXPECT_EQ(chosen_batch(640), 10);
  EXPECT_EQ(chosen_batch(100), 8);
  EXPECT_EQ(chosen_batch(3), 3);
}

TEST(TrainClassifier, LearnsToTellHeldOutPicturesApart) {
  const data::Dataset train = corners(240, 0), test = corners(200, 240);
  const ClassifierFit fit = train_classifier(task_of(train), {}, {});
  EXPECT_DOUBLE_EQ(fit.epochs, 3);
  const at::Tensor named = classify(*fit.network, test.images, {});
  EXPECT_GT(evaluation::agreement(named, test.labels).value(), 0.95);
}

TEST(TrainClassifier, IsAFunctionOfItsTask) {
  const data::Dataset train = corners(48, 0);
  ClassifierTask task = task_of(train);
  task.epochs = 1;
  const ClassifierFit first = train_classifier(task, {}, {}),
                      again = train_classifier(task, {}, {});
  task.seed = 1;
  const ClassifierFit other = train_classifier(task, {}, {});
  for (std::size_t i = 0; i < first.weights.size(); ++i) {
    EXPECT_TRUE(at::equal(first.weights[i].second, again.weights[i].second));
  }
  EXPECT_FALSE(at::equal(first.weights[0].second, other.weights[0].second));
}

TEST(TrainClassifier, KeepsFloat32WeightsWhateverItComputesIn) {
  const data::Dataset train = corners(48, 0);
  ClassifierTask task = task_of(train);
  task.epochs = 1;
  task.compute.dtype = at::kBFloat16;
  const ClassifierFit fit = train_classifier(task, {}, {});
  const auto rounded = fit.network->weights();
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    EXPECT_EQ(fit.weights[i].second.scalar_type(), at::kFloat);
    EXPECT_EQ(rounded[i].second.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(at::equal(fit.weights[i].second.to(at::kBFloat16), rounded[i].second))
        << rounded[i].first;
  }
}

TEST(TrainClassifier, NormalisesByTheMomentsOfThePictures) {
  const data::Dataset train = corners(48, 0);
  ClassifierTask task = task_of(train);
  task.epochs = 1;
  const model::ClassifierConfig config = train_classifier(task, {}, {}).network->config();
  const at::Tensor x = train.images.to(at::kDouble) / 127.5 - 1;
  EXPECT_NEAR(config.mean.at(0), x.mean().item<double>(), 1e-6);
  EXPECT_NEAR(config.deviation.at(0), std::sqrt(x.var(false).item<double>()), 1e-6);
  EXPECT_FALSE(config.mirrored);
}

TEST(TrainClassifier, StopsWhenAskedAndRefusesPicturesOfOneKind) {
  data::Dataset train = corners(48, 0);
  EXPECT_EQ(train_classifier(task_of(train), {}, [] { return true; }).network, nullptr);
  ClassifierTask task = task_of(train);
  task.minutes = 1e-9;
  EXPECT_LT(train_classifier(task, {}, {}).epochs, 0.4);  // one step at most
  train.labels = at::Tensor();
  train.classes = 0;
  EXPECT_THROW(train_classifier(task_of(train), {}, {}), ArgumentError);
}

// A classifier file, and what others could make of it.
class ClassifierFile : public ::testing::Test {
 protected:
  void SetUp() override {
    model::initialise(network_, 3);
    for (const auto& [name, weight] : network_.weights()) {
      weights_.emplace_back(name, weight.detach());
    }
    write_classifier(path_, config_, record_, weights_, Existing::refuse);
  }

  [[nodiscard]] io::TensorFile content() const {
    return io::decode_safetensors(read_bytes(path_), "file");
  }
  // Writes changed content with the hash that it should have.
  void rewrite(const std::function<void(io::TensorFile&)>& change) {
    io::TensorFile file = content();
    file.metadata.erase("sha256");
    change(file);
    file.metadata["sha256"] = sha256(io::encode_safetensors(file));
    write_file(path_, io::encode_safetensors(file), Existing::replace);
  }
  void rewrite_config(const std::function<void(nlohmann::json&)>& change) {
    rewrite([&](io::TensorFile& file) {
      nlohmann::json config = nlohmann::json::parse(file.metadata.at("config"));
      change(config);
      file.metadata["config"] = config.dump();
    });
  }
  [[nodiscard]] std::string refusal() const {
    try {
      static_cast<void>(read_classifier(path_));
    } catch (const DataError& error) {
      EXPECT_EQ(error.path(), path_.string());
      return error.what();
    }
    return "no error";
  }

  TestFolder folder_;
  fs::path path_ = folder_.path() / "judge.safetensors";
  model::ClassifierConfig config_{.channels = 1,
                                  .height = 12,
                                  .width = 10,
                                  .classes = 3,
                                  .features = 8,
                                  .mean = {0.25},
                                  .deviation = {0.5},
                                  .mirrored = true};
  ClassifierRecord record_{.class_names = {"a", "b", "c"},
                           .data = "mnist",
                           .data_sha256 = "00ff",
                           .test_accuracy = 0.875,
                           .test_pictures = 40,
                           .epochs = 2.5,
                           .seconds = 1.5,
                           .seed = 18446744073709551615U};
  model::Classifier network_{config_};
  training::NamedTensors weights_;
};

TEST_F(ClassifierFile, GivesBackWhatWasWritten) {
  const LoadedClassifier loaded = read_classifier(path_);
  EXPECT_EQ(loaded.network->config(), config_);
  EXPECT_EQ(loaded.record, record_);
  const at::Tensor x = kernels::normal({4, 1, 12, 10}, {.seed = 8});
  EXPECT_TRUE(at::equal(loaded.network->logits(x), network_.logits(x)));
}

TEST_F(ClassifierFile, IsReplacedOnlyWhereItMayBe) {
  EXPECT_THROW(write_classifier(path_, config_, record_, weights_, Existing::refuse),
               ArgumentError);
  record_.epochs = 9;
  write_classifier(path_, config_, record_, weights_, Existing::replace);
  EXPECT_EQ(read_classifier(path_).record.epochs, 9);
}

TEST_F(ClassifierFile, EveryFlippedBitAndEveryCutIsNoticed) {
  const std::vector<std::byte> whole = read_bytes(path_);
  // Without the flush to the disk that write_file() would wait for.
  const auto put = [&](std::span<const std::byte> bytes) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  };
  for (std::size_t at = 0; at < whole.size(); at += at < 4000 ? 97 : 4099) {
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{0x10};
    put(damaged);
    EXPECT_NE(refusal(), "no error") << at;
  }
  for (std::size_t size = 0; size < whole.size(); size += size < 4000 ? 211 : 20011) {
    put(std::span(whole).first(size));
    EXPECT_NE(refusal(), "no error") << size;
  }
}

TEST_F(ClassifierFile, OtherTensorsAreRefusedByName) {
  rewrite([](io::TensorFile& file) { file.tensors.emplace_back("more", at::zeros({1})); });
  EXPECT_THAT(refusal(), HasSubstr("expected no other tensor, got \"more\""));
  rewrite([](io::TensorFile& file) {
    std::erase_if(file.tensors, [](const auto& each) {
      return each.first == "more" || each.first == "head.bias";
    });
  });
  EXPECT_THAT(refusal(), HasSubstr("expected a tensor \"head.bias\", got none"));
  rewrite([](io::TensorFile& file) { file.tensors.emplace_back("head.bias", at::zeros({4})); });
  EXPECT_THAT(refusal(), HasSubstr("tensor \"head.bias\": expected Float [3], got Float [4]"));
  rewrite([](io::TensorFile& file) { file.tensors.back().second = at::zeros({3}, at::kHalf); });
  EXPECT_THAT(refusal(), HasSubstr("expected Float [3], got Half [3]"));
}

TEST_F(ClassifierFile, OtherConfigsAreRefusedByKey) {
  rewrite_config([](nlohmann::json& config) { config["widht"] = 10; });
  EXPECT_THAT(refusal(), HasSubstr("expected no other key in its config, got \"widht\""));
  rewrite_config([](nlohmann::json& config) {
    config.erase("widht");
    config["classes"] = "3";
  });
  EXPECT_THAT(refusal(),
              HasSubstr("key classes of its config: expected a value, got one of another"));
  rewrite_config([](nlohmann::json& config) {
    config["classes"] = 1;
    config["mean"] = {0.5, 2.0};
  });
  EXPECT_THAT(refusal(), HasSubstr("classes: expected 2 to 1000000, got 1"));
  EXPECT_THAT(refusal(), HasSubstr("mean: expected numbers in [-1, 1], got 2.0"));
  EXPECT_THAT(refusal(), HasSubstr("class_names: expected 1 or none, got 3"));
  rewrite_config([](nlohmann::json& config) { config.erase("seed"); });
  EXPECT_THAT(refusal(), HasSubstr("key seed of its config: expected a value, got none"));
}

TEST_F(ClassifierFile, OtherTensorFilesAreRefused) {
  write_file(path_, io::encode_safetensors({.tensors = {{"x", at::zeros({2})}}}),
             Existing::replace);
  EXPECT_THAT(refusal(), HasSubstr("expected a classifier that tinta classifier train wrote"));
  rewrite([](io::TensorFile& file) { file.metadata["format"] = "tinta-classifier 2"; });
  EXPECT_THAT(refusal(), HasSubstr("(format tinta-classifier 1), got format tinta-classifier 2"));
  EXPECT_THROW(static_cast<void>(read_classifier(folder_.path() / "none")), SystemError);
}

}  // namespace
}  // namespace tinta::experiment
