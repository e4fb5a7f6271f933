#include "exec/runtime/channel.h"

namespace tidemill {
namespace {

constexpr int64_t kElementBytes = 128;  // of the node itself, so that watermarks count too

}  // namespace

Channel::Channel(int64_t bytes_max, std::shared_ptr<LaneSignal> producer, std::shared_ptr<LaneSignal> consumer)
    : bytes_max_(bytes_max),
      producer_(std::move(producer)),
      consumer_(std::move(consumer)),
      head_(new Node),
      tail_(head_) {}

Channel::~Channel() {
  while (head_ != nullptr) {
    Node* next = head_->next.load(std::memory_order_relaxed);
    delete head_;
    head_ = next;
  }
}

void Channel::Push(Element element) {
  Node* node = new Node;
  node->bytes = kElementBytes + (element.kind == Element::Kind::kBatch ? element.batch.num_bytes() : 0);
  node->element = std::move(element);
  bytes_.fetch_add(node->bytes, std::memory_order_acq_rel);
  tail_->next.store(node, std::memory_order_release);
  tail_ = node;
  if (consumer_ != producer_) consumer_->Notify();
}

Element* Channel::Front() {
  Node* next = head_->next.load(std::memory_order_acquire);
  return next == nullptr ? nullptr : &next->element;
}

Element Channel::Pop() {
  Node* next = head_->next.load(std::memory_order_acquire);
  TM_CHECK(next != nullptr);
  Element element = std::move(next->element);
  delete head_;
  head_ = next;
  const int64_t before = bytes_.fetch_sub(next->bytes, std::memory_order_acq_rel);
  const bool has_room_again = before >= bytes_max_ && before - next->bytes < bytes_max_;
  if (has_room_again && consumer_ != producer_) producer_->Notify();
  return element;
}

}  // namespace tidemill
