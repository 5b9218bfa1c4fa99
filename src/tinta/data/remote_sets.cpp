#include <algorithm>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/download.h"

namespace tinta::data {
namespace {

/// The four files that MNIST and the sets made after it have, in this order.
std::vector<RemoteFile> idx_files(const std::vector<std::string>& md5) {
  return {{"train-images-idx3-ubyte.gz", md5[0]},
          {"train-labels-idx1-ubyte.gz", md5[1]},
          {"t10k-images-idx3-ubyte.gz", md5[2]},
          {"t10k-labels-idx1-ubyte.gz", md5[3]}};
}

const std::vector<RemoteSet>& remote_sets() {
  static const std::vector<RemoteSet> all = {
      {"mnist",
       {"https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/"},
       idx_files({"f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
                  "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"})},
      {"fashion-mnist",
       {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"},
       idx_files({"8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
                  "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"})},
      {"kmnist",
       {"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
       idx_files({"bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
                  "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134"})},
      {"cifar10",
       {"https://www.cs.toronto.edu/~kriz/"},
       {{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"}}},
      {"cifar100",
       {"https://www.cs.toronto.edu/~kriz/"},
       {{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"}}},
  };
  return all;
}

}  // namespace

const RemoteSet& remote_set(const std::string& name) {
  std::vector<std::string> names;
  for (const RemoteSet& set : remote_sets()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  throw ArgumentError("[data get] expected the name of a set that can be fetched, got \"" + name +
                      "\"" + suggestion(name, names));
}

}  // namespace tinta::data
