#include "log/access/scram.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "log/access/sasl.h"
#include "log/errors.h"

namespace tidemill {
namespace {

// Not random, so that an exchange can be said here byte for byte.
RandomBytes CountingBytes() {
  return [next = 0](size_t count) mutable {
    std::string bytes(count, '\0');
    for (char& byte : bytes) byte = static_cast<char>(next++);
    return bytes;
  };
}

// RFC 7677, section 3: user "user", password "pencil".
constexpr std::string_view kRfcSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";

TEST(ScramTest, KeepsWhatTheRfcSays) {
  const ScramCredential credential = MakeScramCredential(ScramHash::kSha256, "pencil", *DecodeBase64(kRfcSalt), 4096);
  EXPECT_EQ(EncodeBase64(credential.stored_key), "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
  EXPECT_EQ(EncodeBase64(credential.server_key), "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  EXPECT_TRUE(IsPassword(credential, "pencil"));
  EXPECT_FALSE(IsPassword(credential, "Pencil"));
  EXPECT_FALSE(IsPassword(credential, ""));
}

class ScramExchangeTest : public ::testing::Test {
 protected:
  std::unique_ptr<SaslExchange> Begin(SaslMechanism mechanism = SaslMechanism::kScramSha256) {
    return MakeSaslExchange(mechanism, users_);
  }
  static std::string Why(const Result<std::string>& result) { return result.ok() ? "" : result.status().message(); }

  const std::shared_ptr<const SaslUsers> users_ = std::make_shared<SaslUsers>(
      std::vector<SaslUsers::User>{{"user", "pencil"}, {"a,b=c", "other"}},
      std::vector<SaslMechanism>{SaslMechanism::kPlain, SaslMechanism::kScramSha256}, CountingBytes());
};

TEST_F(ScramExchangeTest, TheServersFirstMessageGoesOnFromTheClients) {
  const auto exchange = Begin();
  const auto first = exchange->Step("n,,n=user,r=client-nonce");
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_TRUE(first->starts_with("r=client-nonce")) << *first;
  EXPECT_TRUE(first->ends_with(",i=4096")) << *first;
  EXPECT_FALSE(exchange->done());
  EXPECT_EQ(exchange->user(), "user");
}

TEST_F(ScramExchangeTest, NamesAreUnescaped) {
  const auto exchange = Begin();
  EXPECT_TRUE(exchange->Step("n,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=x").ok());
  EXPECT_EQ(exchange->user(), "a,b=c");
}

TEST_F(ScramExchangeTest, AnUnknownNameLooksLikeAKnownOne) {
  const auto salt_of = [&](std::string_view name) {
    const auto exchange = Begin();
    const std::string first = *exchange->Step("n,,n=" + std::string(name) + ",r=x");
    EXPECT_EQ(
        Why(exchange->Step("c=biws," + first.substr(0, first.find(',')) + ",p=" + EncodeBase64(std::string(32, 'x')))),
        "wrong user name or password");
    EXPECT_FALSE(exchange->done());
    return first.substr(first.find(",s="));
  };
  EXPECT_EQ(salt_of("nobody"), salt_of("nobody"));
  EXPECT_NE(salt_of("nobody"), salt_of("somebody"));
  EXPECT_EQ(salt_of("nobody").size(), salt_of("user").size());
  EXPECT_EQ(salt_of("user"), salt_of("user"));
}

TEST_F(ScramExchangeTest, MalformedMessagesEndTheExchange) {
  for (const std::string& first :
       {std::string(), std::string("n"), std::string("n,,"), std::string("n,,n=user"), std::string("n,,n=,r=x"),
        std::string("n,,r=x,n=user"), std::string("n,,n=us=er,r=x"), std::string("n,a=other,n=user,r=x"),
        std::string("p=tls-unique,,n=user,r=x"), std::string("n,,n=user,r=x,tokenauth=true"),
        "n,,n=user,r=" + std::string(5000, 'x')}) {
    const auto exchange = Begin();
    EXPECT_FALSE(exchange->Step(first).ok()) << first.substr(0, 40);
    EXPECT_FALSE(exchange->Step("n,,n=user,r=x").ok()) << "a second try in one exchange";
    EXPECT_FALSE(exchange->done());
  }
  for (const std::string_view last : {"", "c=biws,r=,p=", "c=biws,r=wrong,p=AAAA", "c=eSws,r=NONCE,p=AAAA",
                                      "c=biws,r=NONCE", "c=biws,r=NONCE,p=***", "c=biws,r=NONCE,p=AAAA"}) {
    const auto exchange = Begin();
    const std::string first = *exchange->Step("n,,n=user,r=x");
    std::string said(last);
    if (const size_t at = said.find("NONCE"); at != std::string::npos)
      said.replace(at, 5, first.substr(2, first.find(',') - 2));
    EXPECT_FALSE(exchange->Step(said).ok()) << said;
    EXPECT_FALSE(exchange->done());
  }
}

TEST_F(ScramExchangeTest, PlainTakesANameAndItsPassword) {
  const auto step = [&](std::string message) {
    const auto exchange = Begin(SaslMechanism::kPlain);
    const auto result = exchange->Step(message);
    EXPECT_EQ(result.ok(), exchange->done());
    return result.ok() ? exchange->user() : Why(result);
  };
  using namespace std::string_literals;
  EXPECT_EQ(step("\0user\0pencil"s), "user");
  EXPECT_EQ(step("user\0user\0pencil"s), "user");
  EXPECT_EQ(step("\0user\0pencil\0"s), "malformed PLAIN message");
  EXPECT_EQ(step("\0user\0"s), "wrong user name or password");
  EXPECT_EQ(step("\0nobody\0pencil"s), "wrong user name or password");
  EXPECT_EQ(step("other\0user\0pencil"s), "a user can't act for another one");
  EXPECT_EQ(step("user pencil"s), "malformed PLAIN message");
  EXPECT_EQ(step(""s), "malformed PLAIN message");
}

}  // namespace
}  // namespace tidemill
