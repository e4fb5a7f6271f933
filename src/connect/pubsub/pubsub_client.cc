#include "connect/pubsub/pubsub_client.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <pubsub.grpc.pb.h>

#include "connect/errors.h"

namespace tidemill {
namespace {

namespace api = google::pubsub::v1;

constexpr int kCallSeconds = 30;
constexpr int kMessageBytesLimit = 32 << 20;

Status PubsubStatus(const grpc::Status& status, std::string_view what) {
  if (status.ok()) return Status::OK();
  const std::string text = fmt::format("{}: {}", what, status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return Status(kPubsubNotFound, text);
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return Status(kPubsubNotAllowed, text);
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
      return Status(kPubsubUnreachable, text);
    default:
      return Status(kPubsubRefused, text);
  }
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(kCallSeconds));
}

class GrpcPubsubStream final : public PubsubStream {
 public:
  GrpcPubsubStream(api::Subscriber::Stub& stub, api::StreamingPullRequest request) : request_(std::move(request)) {
    // Nothing waits for the network before Read, which can be canceled.
    context_.set_initial_metadata_corked(true);
    stream_ = stub.StreamingPull(&context_);
  }
  ~GrpcPubsubStream() override {
    if (finished_ || !started_) return;
    context_.TryCancel();
    (void)Finish();
  }

  bool Read(std::vector<PubsubMessage>* messages) override {
    messages->clear();
    if (!std::exchange(started_, true) && !stream_->Write(request_)) return false;
    api::StreamingPullResponse response;
    if (!stream_->Read(&response)) return false;
    for (api::ReceivedMessage& received : *response.mutable_received_messages()) {
      PubsubMessage out;
      api::PubsubMessage& message = *received.mutable_message();
      out.data = std::move(*message.mutable_data());
      out.ordering_key = std::move(*message.mutable_ordering_key());
      out.id = std::move(*message.mutable_message_id());
      out.ack_id = std::move(*received.mutable_ack_id());
      out.publish_time_us = message.publish_time().seconds() * 1'000'000 + message.publish_time().nanos() / 1'000;
      out.delivery_attempt = received.delivery_attempt();
      for (const auto& [name, value] : message.attributes()) out.attributes.emplace_back(name, value);
      messages->push_back(std::move(out));
    }
    return true;
  }

  Status Finish() override {
    finished_ = true;
    return PubsubStatus(stream_->Finish(), "receiving");
  }
  void Cancel() override { context_.TryCancel(); }

 private:
  const api::StreamingPullRequest request_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<api::StreamingPullRequest, api::StreamingPullResponse>> stream_;
  bool started_ = false;
  bool finished_ = false;
};

class GrpcPubsubClient final : public PubsubClient {
 public:
  explicit GrpcPubsubClient(const std::shared_ptr<grpc::Channel>& channel)
      : publisher_(api::Publisher::NewStub(channel)), subscriber_(api::Subscriber::NewStub(channel)) {}

  std::unique_ptr<PubsubStream> OpenStream(const std::string& subscription, int deadline_s, int64_t messages_max,
                                           int64_t bytes_max) override {
    api::StreamingPullRequest request;
    request.set_subscription(subscription);
    request.set_stream_ack_deadline_seconds(deadline_s);
    request.set_max_outstanding_messages(messages_max);
    request.set_max_outstanding_bytes(bytes_max);
    return std::make_unique<GrpcPubsubStream>(*subscriber_, std::move(request));
  }

  Status Acknowledge(const std::string& subscription, std::span<const std::string> ack_ids) override {
    api::AcknowledgeRequest request;
    request.set_subscription(subscription);
    request.mutable_ack_ids()->Add(ack_ids.begin(), ack_ids.end());
    grpc::ClientContext context;
    SetDeadline(context);
    google::protobuf::Empty answer;
    return PubsubStatus(subscriber_->Acknowledge(&context, request, &answer), "acknowledging");
  }

  Status ModifyDeadline(const std::string& subscription, std::span<const std::string> ack_ids, int seconds) override {
    api::ModifyAckDeadlineRequest request;
    request.set_subscription(subscription);
    request.set_ack_deadline_seconds(seconds);
    request.mutable_ack_ids()->Add(ack_ids.begin(), ack_ids.end());
    grpc::ClientContext context;
    SetDeadline(context);
    google::protobuf::Empty answer;
    return PubsubStatus(subscriber_->ModifyAckDeadline(&context, request, &answer), "keeping messages");
  }

  Status Publish(const std::string& topic, std::span<const PubsubMessage> messages) override {
    api::PublishRequest request;
    request.set_topic(topic);
    for (const PubsubMessage& message : messages) {
      api::PubsubMessage& out = *request.add_messages();
      out.set_data(message.data);
      out.set_ordering_key(message.ordering_key);
      for (const auto& [name, value] : message.attributes) (*out.mutable_attributes())[name] = value;
    }
    grpc::ClientContext context;
    SetDeadline(context);
    api::PublishResponse answer;
    return PubsubStatus(publisher_->Publish(&context, request, &answer), "publishing to '" + topic + "'");
  }

 private:
  const std::unique_ptr<api::Publisher::Stub> publisher_;
  const std::unique_ptr<api::Subscriber::Stub> subscriber_;
};

}  // namespace

int64_t PubsubMessage::bytes() const {
  size_t total = data.size() + ordering_key.size() + id.size() + ack_id.size() + 64;
  for (const auto& [name, value] : attributes) total += name.size() + value.size() + 16;
  return static_cast<int64_t>(total);
}

Result<std::unique_ptr<PubsubClient>> PubsubClient::Connect(const PubsubConnection& connection) {
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (connection.plaintext) {
    credentials = grpc::InsecureChannelCredentials();
  } else if (connection.key_json.empty()) {
    credentials = grpc::GoogleDefaultCredentials();
    if (credentials == nullptr) {
      return Status(kPubsubNotAllowed, "this machine has no credentials for Google Cloud")
          .WithHint("give 'credentials-file', or set GOOGLE_APPLICATION_CREDENTIALS");
    }
  } else {
    const auto account = grpc::ServiceAccountJWTAccessCredentials(connection.key_json, 3600);
    if (account == nullptr) return Status(kPubsubNotAllowed, "'credentials-file' holds no key of a service account");
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = connection.roots_pem;
    credentials = grpc::CompositeChannelCredentials(grpc::SslCredentials(tls), account);
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesLimit);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 300'000);
  // Back soon after a server was away.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  // Each client has connections of its own: two jobs of one process must not stop each other.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  std::unique_ptr<PubsubClient> client =
      std::make_unique<GrpcPubsubClient>(grpc::CreateCustomChannel(connection.endpoint, credentials, arguments));
  return client;
}

}  // namespace tidemill
