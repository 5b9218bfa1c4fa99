#include "tinta/dist/single.h"

namespace tinta::dist {
namespace {

class Single : public Connection {
 public:
  Group& group() override { return Group::alone(); }
  [[nodiscard]] int threads() const override { return 0; }
  [[nodiscard]] int local_rank() const override { return 0; }
  void fail(int /*exit_code*/, const std::string& /*text*/) override {}
  void leave() override {}
};

}  // namespace

std::unique_ptr<Connection> single_process() { return std::make_unique<Single>(); }

}  // namespace tinta::dist
