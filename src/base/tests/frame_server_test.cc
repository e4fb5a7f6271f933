#include "base/frame_server.h"

#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/simulated_file_system.h"
#include "base/tests/eventually.h"
#include "base/tests/frame_client.h"
#include "base/tests/self_signed_certificate.h"
#include "base/tests/temp_folder.h"

namespace tidemill {
namespace {

using testing::FrameClient;

void EchoFrame(const std::shared_ptr<FrameConnection>&, std::string frame, FrameServer::Reply reply) {
  const size_t half = frame.size() / 2;
  reply({{frame.substr(0, half), frame.substr(half)}});
}

TEST(FrameServerTest, EchoesFramesOfAnySizeHoweverTheyAreCut) {
  FrameServer server("Echo", &EchoFrame);
  ASSERT_TRUE(server.Start({.frame_bytes_max = 4 << 20}).ok());
  FrameClient client(server.port());
  for (const size_t size : {1u, 2u, 3u, 65535u, 65536u, 65537u, 1000000u, 4u << 20}) {
    std::string bytes(size, 'x');
    for (size_t i = 0; i < size; i += 97) bytes[i] = static_cast<char>(i);
    ASSERT_TRUE(client.Write(FrameClient::Framed(bytes)));
    EXPECT_EQ(client.Read(), bytes);
  }
  const std::string slow = FrameClient::Framed("slowly");
  for (const char byte : slow) {
    ASSERT_TRUE(client.Write(std::string_view(&byte, 1)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(client.Read(), "slowly");
  EXPECT_EQ(server.connections(), 1);
}

TEST(FrameServerTest, AnswersInTheOrderOfTheRequestsWhicheverIsReadyFirst) {
  std::mutex mutex;
  std::map<std::string, FrameServer::Reply> waiting;
  FrameServer server("Test", [&](const auto&, std::string frame, FrameServer::Reply reply) {
    std::lock_guard lock(mutex);
    waiting[frame] = std::move(reply);
  });
  ASSERT_TRUE(server.Start({.requests_in_flight_max = 4, .threads = 2}).ok());
  FrameClient client(server.port());
  for (const char* name : {"0", "1", "2", "3", "4", "5"}) ASSERT_TRUE(client.Write(FrameClient::Framed(name)));
  const auto count = [&] {
    std::lock_guard lock(mutex);
    return waiting.size();
  };
  ASSERT_TRUE(testing::Eventually([&] { return count() == 4; }));  // the others wait in the socket
  const auto answer = [&](const std::string& name, FrameReply reply) {
    FrameServer::Reply call;
    {
      std::lock_guard lock(mutex);
      call = std::move(waiting.at(name));
    }
    call(std::move(reply));
  };
  answer("3", {{std::string("three")}});
  answer("1", {{}, true});  // nothing goes back for this one
  answer("2", {{std::string("two")}});
  answer("0", {{std::string("zero")}});
  EXPECT_EQ(client.Read(), "zero");
  EXPECT_EQ(client.Read(), "two");
  EXPECT_EQ(client.Read(), "three");
  ASSERT_TRUE(testing::Eventually([&] { return count() == 6; }));
  answer("4", {{std::string("last")}, false, true});
  EXPECT_EQ(client.Read(), "last");
  EXPECT_EQ(client.Read(), std::nullopt);
}

TEST(FrameServerTest, HostileLengthsEndOnlyTheirConnection) {
  FrameServer server("Echo", &EchoFrame);
  ASSERT_TRUE(server.Start({.frame_bytes_max = 1000}).ok());
  FrameClient good(server.port());
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x16\x03\x01\x02\x00", 5),
        std::string("\xff\xff\xff\xff", 4), std::string("\x00\x00\x00\x00", 4), std::string("\x00\x00\x03\xe9", 4)}) {
    FrameClient bad(server.port());
    (void)bad.Write(bytes);
    EXPECT_EQ(bad.Read(), std::nullopt);
  }
  ASSERT_TRUE(good.Write(FrameClient::Framed("still here")));
  EXPECT_EQ(good.Read(), "still here");
  EXPECT_TRUE(testing::Eventually([&] { return server.connections() == 1; }));
}

TEST(FrameServerTest, SlowAndIdleClientsAreCutOff) {
  FrameServer server("Echo", &EchoFrame);
  ASSERT_TRUE(server.Start({.idle_timeout_ms = 400, .frame_timeout_ms = 100}).ok());
  FrameClient stuck(server.port()), idle(server.port());
  ASSERT_TRUE(stuck.Write(std::string("\x00\x00\x00\x09half", 8)));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(stuck.Read(), std::nullopt);
  EXPECT_EQ(idle.Read(), std::nullopt);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(350));
  EXPECT_TRUE(testing::Eventually([&] { return server.connections() == 0; }));
}

// Sixteen frames of 1 MiB at once over room for two: they take turns, and all get through.
TEST(FrameServerTest, MemoryIsBoundedOverAllConnections) {
  FrameServer server("Echo", &EchoFrame);
  ASSERT_TRUE(server.Start({.frame_bytes_max = 1 << 20, .buffered_bytes_max = 3 << 20, .threads = 2}).ok());
  std::vector<std::thread> threads;
  std::atomic<int> echoed{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      FrameClient client(server.port());
      const std::string bytes(1 << 20, static_cast<char>('a' + i));
      if (client.Write(FrameClient::Framed(bytes)) && client.Read() == bytes) ++echoed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(echoed, 16);
}

TEST(FrameServerTest, RefusesConnectionsAboveTheLimitAndTakesNewOnesLater) {
  FrameServer server("Echo", &EchoFrame);
  ASSERT_TRUE(server.Start({.connections_max = 2}).ok());
  {
    FrameClient a(server.port()), b(server.port());
    ASSERT_TRUE(a.Write(FrameClient::Framed("a")) && b.Write(FrameClient::Framed("b")));
    EXPECT_EQ(a.Read(), "a");
    EXPECT_EQ(b.Read(), "b");
    FrameClient c(server.port());
    EXPECT_EQ(c.Read(), std::nullopt);
  }
  ASSERT_TRUE(testing::Eventually([&] { return server.connections() == 0; }));
  FrameClient d(server.port());
  ASSERT_TRUE(d.Write(FrameClient::Framed("d")));
  EXPECT_EQ(d.Read(), "d");
}

// A client's half of TLS over a FrameClient's socket.
class TlsFrames {
 public:
  TlsFrames(FrameClient& client, const testing::SelfSignedCertificate* own) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL, and the server may be gone
    if (own != nullptr) {
      SSL_CTX_use_certificate(context_, own->x509);
      SSL_CTX_use_PrivateKey(context_, own->key);
    }
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, client.fd());
    is_connected_ = SSL_connect(tls_) == 1;
  }
  ~TlsFrames() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
  }
  bool is_connected() const { return is_connected_; }
  // Empty when the connection ended.
  std::string Ask(std::string_view bytes) {
    const std::string framed = FrameClient::Framed(bytes);
    if (SSL_write(tls_, framed.data(), static_cast<int>(framed.size())) <= 0) return "";
    const auto receive = [this](char* out, size_t count) { return SSL_read(tls_, out, static_cast<int>(count)); };
    return FrameClient::ReceiveFrame(receive).value_or("");
  }

 private:
  SSL_CTX* const context_ = SSL_CTX_new(TLS_client_method());
  SSL* tls_ = nullptr;
  bool is_connected_ = false;
};

class TlsFrameServerTest : public ::testing::Test {
 protected:
  std::string Put(const std::string& name, const std::string& text) {
    const std::string path = JoinPath(folder_.path(), name);
    EXPECT_TRUE(WriteFileAtomically(files_, path, text).ok());
    return path;
  }
  void Start(ClientCertificate wanted, FrameServerOptions options = {}) {
    const auto tls = TlsServerContext::Load(
        {Put("crt", own_.CertificatePem()), Put("key", own_.KeyPem()), Put("ca", client_.CertificatePem()), wanted},
        files_);
    ASSERT_TRUE(tls.ok()) << tls.status().ToString();
    options.tls = *tls;
    options.frame_timeout_ms = 2000;
    ASSERT_TRUE(server_.Start(options).ok());
  }

  LocalFileSystem files_;
  testing::TempFolder folder_;
  testing::SelfSignedCertificate own_, client_;
  std::shared_ptr<const ReadableFile> file_ = *files_.OpenReadable(Put("file", "<answer>"));
  // Says whom it talks to, before what it was told.
  FrameServer server_{
      "Echo", [this](const std::shared_ptr<FrameConnection>& connection, std::string frame, FrameServer::Reply reply) {
        if (frame == "who") frame = connection->tls_subject() + "!";
        if (frame == "file") return reply({{FramePiece(file_, 1, 7)}});
        reply({{std::move(frame)}});
      }};
};

TEST_F(TlsFrameServerTest, EchoesAndKnowsTheCertificateOfItsClient) {
  Start(ClientCertificate::kRequested);
  FrameClient known(server_.port()), unknown(server_.port());
  TlsFrames with(known, &client_), without(unknown, nullptr);
  ASSERT_TRUE(with.is_connected() && without.is_connected());
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) EXPECT_EQ(with.Ask(large), large);
  EXPECT_EQ(with.Ask("who"), "CN=localhost!");
  EXPECT_EQ(without.Ask("who"), "!");
  EXPECT_EQ(with.Ask("file"), "answer>");
}

TEST_F(TlsFrameServerTest, LetsNobodyInWithoutACertificateOrTls) {
  Start(ClientCertificate::kRequired);
  FrameClient plain(server_.port()), silent(server_.port());
  ASSERT_TRUE(plain.Write(FrameClient::Framed("who")));
  // At most a TLS alert comes back, never an answer.
  const auto answer = plain.Read();
  EXPECT_TRUE(!answer || answer->find('!') == std::string::npos);
  for (const testing::SelfSignedCertificate* other : {static_cast<testing::SelfSignedCertificate*>(nullptr), &own_}) {
    FrameClient client(server_.port());
    EXPECT_EQ(TlsFrames(client, other).Ask("who"), "");
  }
  FrameClient client(server_.port());
  EXPECT_EQ(TlsFrames(client, &client_).Ask("who"), "CN=localhost!");
  EXPECT_EQ(silent.Read(), std::nullopt) << "who does not even begin is cut off";
}

TEST_F(TlsFrameServerTest, FilesThatDoNotFitAreRefused) {
  const std::string certificate = Put("crt", own_.CertificatePem()), key = Put("key", own_.KeyPem());
  const auto load = [&](TlsServerOptions options) { return TlsServerContext::Load(options, files_).status(); };
  EXPECT_TRUE(load({certificate, key}).ok());
  EXPECT_TRUE(load({certificate, Put("other", client_.KeyPem())}).Is(kInvalidConfig));
  EXPECT_TRUE(load({key, key}).Is(kInvalidConfig));
  EXPECT_TRUE(load({certificate, certificate}).Is(kInvalidConfig));
  EXPECT_TRUE(load({Put("empty", ""), key}).Is(kInvalidConfig));
  EXPECT_TRUE(load({certificate, JoinPath(folder_.path(), "none")}).Is(kFileNotFound));
  EXPECT_TRUE(load({certificate, key, "", ClientCertificate::kRequired}).Is(kInvalidConfig));
}

TEST(FrameServerTest, APausedConnectionIsNotReadAndOthersAre) {
  FrameServer server(
      "Echo", [](const std::shared_ptr<FrameConnection>& connection, std::string frame, FrameServer::Reply reply) {
        if (frame == "pause") connection->Pause(2500);
        reply({{std::move(frame)}});
      });
  ASSERT_TRUE(server.Start({.idle_timeout_ms = 1000, .frame_timeout_ms = 1000}).ok());
  FrameClient paused(server.port());
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(paused.Write(FrameClient::Framed("pause") + FrameClient::Framed("next")));
  EXPECT_EQ(paused.Read(), "pause");
  FrameClient other(server.port());
  ASSERT_TRUE(other.Write(FrameClient::Framed("at once")));
  EXPECT_EQ(other.Read(), "at once");
  EXPECT_EQ(paused.Read(), "next") << "and is not cut off for being idle";
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(2500));
}

TEST(FrameServerTest, StrangersSendLessUntilTheyAreTrusted) {
  FrameServer server(
      "Echo", [](const std::shared_ptr<FrameConnection>& connection, std::string frame, FrameServer::Reply reply) {
        if (frame == "trust") connection->Trust();
        reply({{std::move(frame)}});
      });
  ASSERT_TRUE(server.Start({.frame_bytes_max = 1000, .stranger_frame_bytes_max = 10}).ok());
  FrameClient stranger(server.port()), friendly(server.port());
  const std::string large(1000, 'x');
  ASSERT_TRUE(stranger.Write(FrameClient::Framed(large)));
  EXPECT_EQ(stranger.Read(), std::nullopt);
  ASSERT_TRUE(friendly.Write(FrameClient::Framed("trust")));
  EXPECT_EQ(friendly.Read(), "trust");
  ASSERT_TRUE(friendly.Write(FrameClient::Framed(large)));
  EXPECT_EQ(friendly.Read(), large);
}

TEST(FrameServerTest, OneAddressHasItsShareOfConnections) {
  FrameServer server("Echo", &EchoFrame);
  ASSERT_TRUE(server.Start({.connections_per_address_max = 1}).ok());
  {
    FrameClient first(server.port());
    ASSERT_TRUE(first.Write(FrameClient::Framed("a")));
    EXPECT_EQ(first.Read(), "a");
    FrameClient second(server.port());
    EXPECT_EQ(second.Read(), std::nullopt);
  }
  ASSERT_TRUE(testing::Eventually([&] { return server.connections() == 0; }));
  FrameClient third(server.port());
  ASSERT_TRUE(third.Write(FrameClient::Framed("c")));
  EXPECT_EQ(third.Read(), "c");
}

TEST(FrameServerTest, DroppedRepliesAndLateOnesHarmNobody) {
  FrameServer::Reply kept;
  std::atomic<bool> has_kept{false};
  {
    FrameServer server("Test", [&](const auto&, const std::string& frame, FrameServer::Reply reply) {
      if (frame != "keep") return;  // dropped: the connection ends
      kept = std::move(reply);
      has_kept = true;
    });
    ASSERT_TRUE(server.Start({}).ok());
    FrameClient dropped(server.port()), keeping(server.port());
    ASSERT_TRUE(dropped.Write(FrameClient::Framed("drop")));
    EXPECT_EQ(dropped.Read(), std::nullopt);
    ASSERT_TRUE(keeping.Write(FrameClient::Framed("keep")));
    ASSERT_TRUE(testing::Eventually([&] { return has_kept.load(); }));
  }
  kept({{std::string("too late")}});
}

// Answers every frame "OFFSET LENGTH" with so much of a file, between two texts.
FrameServer::Handler FromFile(std::shared_ptr<const ReadableFile> file) {
  return [file](const auto&, const std::string& frame, const FrameServer::Reply& reply) {
    std::istringstream wanted(frame);
    int64_t offset = 0, length = 0;
    wanted >> offset >> length;
    reply({{std::string("before"), FramePiece(file, offset, length), std::string("after")}});
  };
}

class FrameServerFileTest : public ::testing::Test {
 protected:
  FrameServerFileTest() {
    bytes_.resize(20 << 20);
    for (size_t i = 0; i < bytes_.size(); i += 3) bytes_[i] = static_cast<char>(i * 7919 >> 5);
  }
  std::shared_ptr<const ReadableFile> Stored(FileSystem& files, const std::string& path) {
    auto out = files.OpenWritable(path, FileSystem::OpenMode::kTruncate);
    EXPECT_TRUE((*out)->Append(bytes_).ok());
    return *files.OpenReadable(path);
  }
  void ExpectAnswers(FrameClient& client) {
    const std::vector<std::pair<size_t, size_t>> ranges = {
        {0, 1}, {5, 0}, {1000, 65536}, {3, 20'000'000}, {0, bytes_.size()}};
    for (const auto& [offset, length] : ranges)
      ASSERT_TRUE(client.Write(FrameClient::Framed(std::to_string(offset) + " " + std::to_string(length))));
    for (const auto& [offset, length] : ranges) {
      const auto answer = client.Read();
      ASSERT_TRUE(answer.has_value());
      EXPECT_TRUE(*answer == "before" + bytes_.substr(offset, length) + "after") << offset << " " << length;
    }
  }

  std::string bytes_;
};

TEST_F(FrameServerFileTest, AnswersLieInFilesOfTheDisk) {
  testing::TempFolder folder;
  LocalFileSystem files;
  FrameServer server("Test", FromFile(Stored(files, folder.path() + "/f")));
  ASSERT_TRUE(server.Start({}).ok());
  FrameClient client(server.port());
  ExpectAnswers(client);
  // What is not there ends the connection, also when some of it was sent.
  ASSERT_TRUE(client.Write(FrameClient::Framed(std::to_string(bytes_.size() - 5) + " 10")));
  const auto cut = client.Read();
  EXPECT_TRUE(!cut.has_value() || cut->size() < 21);
  EXPECT_EQ(client.Read(), std::nullopt);
}

TEST_F(FrameServerFileTest, AnswersLieInFilesWithoutADescriptor) {
  SimulatedFileSystem files;
  FrameServer server("Test", FromFile(Stored(files, "f")));
  ASSERT_TRUE(server.Start({}).ok());
  FrameClient client(server.port());
  ExpectAnswers(client);
}

TEST(FrameServerTest, ListensOnLoopbackOnly) {
  FrameServer server("Echo", &EchoFrame), second("Echo", &EchoFrame);
  EXPECT_TRUE(server.Start({.address = "0.0.0.0"}).Is(kUnsafeListen));
  EXPECT_TRUE(server.Start({.address = "example.org"}).Is(kInvalidConfig));
  ASSERT_TRUE(server.Start({.address = "localhost"}).ok());
  EXPECT_TRUE(second.Start({.port = server.port()}).Is(kAddressInUse));
}

}  // namespace
}  // namespace tidemill
