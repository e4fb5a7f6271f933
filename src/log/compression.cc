#include "log/compression.h"

#include <algorithm>
#include <memory>

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill {
namespace {

constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);
constexpr size_t kXerialHead = 16;  // magic, version, compatible version
constexpr size_t kXerialBlock = 32 << 10;
constexpr size_t kStep = 64 << 10;

Status Damaged(std::string_view codec, std::string_view why) {
  return Status(kInvalidBatch, "the " + std::string(codec) + " data of the batch is damaged: " + std::string(why));
}

Status TooLarge(std::string_view codec, int64_t bytes_max) {
  return Status(kLimitExceeded, "the " + std::string(codec) + " data of the batch has more than " +
                                    std::to_string(bytes_max) + " bytes");
}

Status CompressGzip(std::string_view bytes, std::string* out) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return Status(kInternalError, "gzip can't be started");
  }
  const size_t start = out->size();
  out->resize(start + deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out->data() + start);
  stream.avail_out = static_cast<uInt>(out->size() - start);
  const int result = deflate(&stream, Z_FINISH);
  out->resize(start + stream.total_out);
  deflateEnd(&stream);
  return result == Z_STREAM_END ? Status::OK() : Status(kInternalError, "gzip failed");
}

// Lets `step(out, room)` fill `out` piece by piece: it returns the bytes written; negative: failed; and sets *done at
// the end. What `out` has is written over, and its memory used before more is taken: clearing and copying megabytes
// costs more than decompressing them.
template <typename F>
Status FillInSteps(std::string_view codec, int64_t bytes_max, std::string* out, F&& step) {
  const size_t limit = static_cast<size_t>(bytes_max) + 1;
  size_t filled = 0;
  if (out->size() > limit) out->resize(limit);
  for (bool done = false; !done;) {
    if (filled == out->size()) {
      if (static_cast<int64_t>(filled) > bytes_max) return TooLarge(codec, bytes_max);
      const bool has_memory = filled + kStep <= out->capacity();
      out->resize(std::min(has_memory ? filled + kStep : std::max(filled * 2, kStep), limit));
    }
    const int64_t n = step(out->data() + filled, out->size() - filled, &done);
    if (n < 0) return Damaged(codec, "it can't be decompressed");
    if (n == 0 && !done && filled < out->size()) return Damaged(codec, "it ends too early");
    filled += static_cast<size_t>(n);
  }
  if (static_cast<int64_t>(filled) > bytes_max) return TooLarge(codec, bytes_max);
  out->resize(filled);
  return Status::OK();
}

Status DecompressGzip(std::string_view bytes, int64_t bytes_max, std::string* out) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return Status(kInternalError, "gzip can't be started");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, [](z_stream* s) { return inflateEnd(s); });
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  return FillInSteps("gzip", bytes_max, out, [&](char* to, size_t room, bool* done) -> int64_t {
    stream.next_out = reinterpret_cast<Bytef*>(to);
    stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return -1;
    *done = result == Z_STREAM_END;
    return static_cast<int64_t>(room - stream.avail_out);
  });
}

Status CompressSnappy(std::string_view bytes, std::string* out) {
  out->append(kXerialMagic);
  log_internal::AppendBig<int32_t>(out, 1);
  log_internal::AppendBig<int32_t>(out, 1);
  std::string block;
  for (size_t at = 0; at < bytes.size(); at += kXerialBlock) {
    const std::string_view piece = bytes.substr(at, kXerialBlock);
    snappy::Compress(piece.data(), piece.size(), &block);
    log_internal::AppendText(out, block);
  }
  return Status::OK();
}

Status AppendSnappyBlock(std::string_view block, int64_t bytes_max, std::string* out) {
  size_t length = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &length)) return Damaged("snappy", "bad block length");
  if (static_cast<int64_t>(length) > bytes_max - static_cast<int64_t>(out->size()))
    return TooLarge("snappy", bytes_max);
  const size_t start = out->size();
  out->resize(start + length);
  if (!snappy::RawUncompress(block.data(), block.size(), out->data() + start))
    return Damaged("snappy", "it can't be decompressed");
  return Status::OK();
}

Status DecompressSnappy(std::string_view bytes, int64_t bytes_max, std::string* out) {
  out->clear();
  if (!bytes.starts_with(kXerialMagic)) return AppendSnappyBlock(bytes, bytes_max, out);
  if (bytes.size() < kXerialHead) return Damaged("snappy", "it ends too early");
  log_internal::ByteReader reader(bytes.substr(kXerialHead));
  while (!reader.AtEnd()) {
    const std::string_view block = reader.Bytes(reader.Big<uint32_t>());
    if (!reader.ok()) return Damaged("snappy", "it ends too early");
    TM_RETURN_IF_ERROR(AppendSnappyBlock(block, bytes_max, out));
  }
  return Status::OK();
}

Status CompressLz4(std::string_view bytes, std::string* out) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // what Kafka's Java client can read
  const size_t start = out->size();
  out->resize(start + LZ4F_compressFrameBound(bytes.size(), &preferences));
  const size_t n =
      LZ4F_compressFrame(out->data() + start, out->size() - start, bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(n) != 0) return Status(kInternalError, std::string("lz4: ") + LZ4F_getErrorName(n));
  out->resize(start + n);
  return Status::OK();
}

Status DecompressLz4(std::string_view bytes, int64_t bytes_max, std::string* out) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)) != 0)
    return Status(kInternalError, "lz4 can't be started");
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(raw, LZ4F_freeDecompressionContext);
  return FillInSteps("lz4", bytes_max, out, [&](char* to, size_t room, bool* done) -> int64_t {
    size_t written = room, read = bytes.size();
    const size_t result = LZ4F_decompress(context.get(), to, &written, bytes.data(), &read, nullptr);
    if (LZ4F_isError(result) != 0) return -1;
    bytes.remove_prefix(read);
    *done = result == 0;
    return static_cast<int64_t>(written);
  });
}

Status CompressZstd(std::string_view bytes, std::string* out) {
  const size_t start = out->size();
  out->resize(start + ZSTD_compressBound(bytes.size()));
  const size_t n = ZSTD_compress(out->data() + start, out->size() - start, bytes.data(), bytes.size(), 3);
  if (ZSTD_isError(n) != 0) return Status(kInternalError, std::string("zstd: ") + ZSTD_getErrorName(n));
  out->resize(start + n);
  return Status::OK();
}

Status DecompressZstd(std::string_view bytes, int64_t bytes_max, std::string* out) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (context == nullptr) return Status(kInternalError, "zstd can't be started");
  // A frame may ask for a window of gigabytes; Kafka's own producers stay at or below 8 MiB.
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 27);
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  return FillInSteps("zstd", bytes_max, out, [&](char* to, size_t room, bool* done) -> int64_t {
    ZSTD_outBuffer output{to, room, 0};
    const size_t result = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(result) != 0) return -1;
    *done = result == 0;
    return static_cast<int64_t>(output.pos);
  });
}

}  // namespace

Status Compress(CompressionCodec codec, std::string_view bytes, std::string* out) {
  switch (codec) {
    case CompressionCodec::kNone:
      out->append(bytes);
      return Status::OK();
    case CompressionCodec::kGzip:
      return CompressGzip(bytes, out);
    case CompressionCodec::kSnappy:
      return CompressSnappy(bytes, out);
    case CompressionCodec::kLz4:
      return CompressLz4(bytes, out);
    case CompressionCodec::kZstd:
      return CompressZstd(bytes, out);
  }
  return Status(kUnsupportedCodec, "compression codec " + std::to_string(static_cast<int>(codec)) + " is not known");
}

Status Decompress(CompressionCodec codec, std::string_view bytes, int64_t bytes_max, std::string* out) {
  switch (codec) {
    case CompressionCodec::kNone:
      if (static_cast<int64_t>(bytes.size()) > bytes_max) return TooLarge("uncompressed", bytes_max);
      out->assign(bytes);
      return Status::OK();
    case CompressionCodec::kGzip:
      return DecompressGzip(bytes, bytes_max, out);
    case CompressionCodec::kSnappy:
      return DecompressSnappy(bytes, bytes_max, out);
    case CompressionCodec::kLz4:
      return DecompressLz4(bytes, bytes_max, out);
    case CompressionCodec::kZstd:
      return DecompressZstd(bytes, bytes_max, out);
  }
  return Status(kUnsupportedCodec, "compression codec " + std::to_string(static_cast<int>(codec)) + " is not known");
}

std::string_view CodecName(CompressionCodec codec) {
  constexpr std::string_view kNames[] = {"none", "gzip", "snappy", "lz4", "zstd"};
  const auto i = static_cast<size_t>(codec);
  return i < std::size(kNames) ? kNames[i] : "unknown";
}

}  // namespace tidemill
