// Messages of any bytes from a client that says who it is: the first byte chooses the mechanism, a 0xFE byte parts
// messages. Nobody gets in but with the password, and what is over stays over.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "log/access/sasl.h"

namespace {

using namespace tidemill;

constexpr SaslMechanism kMechanisms[] = {SaslMechanism::kScramSha256, SaslMechanism::kScramSha512,
                                         SaslMechanism::kPlain};

std::shared_ptr<const SaslUsers> Users() {
  // Not random, so that a proof in the corpus stays right.
  static const auto users =
      std::make_shared<const SaslUsers>(std::vector<SaslUsers::User>{{"alice", "secret"}},
                                        std::vector<SaslMechanism>(std::begin(kMechanisms), std::end(kMechanisms)),
                                        [](size_t count) { return std::string(count, 'r'); });
  return users;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto exchange = MakeSaslExchange(kMechanisms[data[0] % 3], Users());
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool is_over = false;
  while (true) {
    const size_t cut = rest.find('\xFE');
    const auto answer = exchange->Step(rest.substr(0, cut));
    if (is_over && answer.ok()) std::abort();
    is_over = is_over || !answer.ok() || exchange->done();
    if (exchange->done() && exchange->user() != "alice") std::abort();
    if (cut == std::string_view::npos) break;
    rest.remove_prefix(cut + 1);
  }
  return 0;
}
