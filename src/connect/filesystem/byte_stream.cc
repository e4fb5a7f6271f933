#include "connect/filesystem/byte_stream.h"

#include <algorithm>
#include <vector>

#include <zlib.h>

#include "base/errors.h"
#include "connect/filesystem/file_options.h"

namespace tidemill {
namespace {

class PlainStream final : public ByteStream {
 public:
  PlainStream(std::unique_ptr<ReadableFile> file, int64_t size) : file_(std::move(file)), size_(size) {}

  Result<int64_t> Read(char* out, int64_t length) override {
    TM_ASSIGN_OR_RETURN(const int64_t read, file_->ReadAt(at_, std::min(length, size_ - at_), out));
    at_ += read;
    return read;
  }
  Result<bool> Skip(int64_t bytes) override {
    at_ += bytes;
    return at_ <= size_;
  }

 private:
  std::unique_ptr<ReadableFile> file_;
  int64_t size_;  // when it was opened: what is appended later is not read, so that a bounded read ends
  int64_t at_ = 0;
};

class GzipStream final : public ByteStream {
 public:
  GzipStream(std::string path, std::unique_ptr<ByteStream> raw)
      : path_(std::move(path)), raw_(std::move(raw)), input_(64 << 10) {}
  ~GzipStream() override {
    if (ready_) inflateEnd(&state_);
  }

  Status Start() {
    if (inflateInit2(&state_, 16 + MAX_WBITS) != Z_OK) return Status(kIoError, "zlib can't be started");
    ready_ = true;
    return Status::OK();
  }

  Result<int64_t> Read(char* out, int64_t length) override {
    state_.next_out = reinterpret_cast<Bytef*>(out);
    state_.avail_out = static_cast<uInt>(std::min<int64_t>(length, 1 << 30));
    const uInt wanted = state_.avail_out;
    while (state_.avail_out == wanted) {
      if (state_.avail_in == 0) {
        TM_ASSIGN_OR_RETURN(const int64_t read, raw_->Read(input_.data(), static_cast<int64_t>(input_.size())));
        if (read == 0) {
          if (inside_) return Status(kCorruption, "'" + path_ + "' ends in the middle of its compressed data");
          return 0;
        }
        state_.next_in = reinterpret_cast<Bytef*>(input_.data());
        state_.avail_in = static_cast<uInt>(read);
      }
      inside_ = true;
      const int outcome = inflate(&state_, Z_NO_FLUSH);
      if (outcome == Z_STREAM_END) {
        inside_ = false;
        if (inflateReset(&state_) != Z_OK) return Status(kIoError, "zlib can't be restarted");
      } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
        return Status(kCorruption,
                      "'" + path_ + "' is not valid gzip: " + (state_.msg != nullptr ? state_.msg : "unknown error"));
      }
    }
    return static_cast<int64_t>(wanted - state_.avail_out);
  }

  Result<bool> Skip(int64_t bytes) override {
    std::vector<char> dropped(64 << 10);
    while (bytes > 0) {
      TM_ASSIGN_OR_RETURN(const int64_t read,
                          Read(dropped.data(), std::min<int64_t>(bytes, static_cast<int64_t>(dropped.size()))));
      if (read == 0) return false;
      bytes -= read;
    }
    return true;
  }

 private:
  std::string path_;
  std::unique_ptr<ByteStream> raw_;
  std::vector<char> input_;
  z_stream state_{};
  bool ready_ = false;
  bool inside_ = false;  // a member has begun and not ended
};

}  // namespace

Result<std::unique_ptr<ByteStream>> OpenByteStream(FileSystem& fs, const std::string& path) {
  TM_ASSIGN_OR_RETURN(auto file, fs.OpenReadable(path));
  TM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  std::unique_ptr<ByteStream> stream = std::make_unique<PlainStream>(std::move(file), size);
  if (!IsGzipPath(path)) return stream;
  auto gzip = std::make_unique<GzipStream>(path, std::move(stream));
  TM_RETURN_IF_ERROR(gzip->Start());
  stream = std::move(gzip);
  return stream;
}

}  // namespace tidemill
