#include <map>

#include "data/schema.h"
#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/list_accumulators.h"
#include "function/internal/list_column.h"
#include "function/internal/value_key.h"

namespace tidemill {
namespace {

template <typename K>
struct Item {
  K value{};
  bool null = false;
};

template <typename T>
class ListAccumulators final : public Accumulators {
  using K = Kept<T>;
  using List = std::vector<Item<K>>;

 public:
  ListAccumulators(const ResolvedAggregate& resolved, ListResult result)
      : result_(result),
        type_(resolved.result),
        element_(resolved.arguments[0].WithNullable(true)),
        elements_max_(resolved.elements_max),
        separator_(resolved.separator),
        schema_(StateSchema({{"values", DataType::Array(element_)}})) {}

  void Resize(int64_t slots) override { lists_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) lists_[slot] = List();
  }
  bool retractable() const override { return true; }
  int64_t rows_over_bound() const override { return over_bound_; }
  const Schema& state_schema() const override { return schema_; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<T> read(*args[0], false);
    const bool keep_nulls = result_ == ListResult::kArray;
    ForEachCounted(static_cast<int64_t>(slots.size()), keep_nulls ? nullptr : args[0].get(), kinds, selected,
                   [&](int64_t i, int sign) {
                     List& list = lists_[slots[static_cast<size_t>(i)]];
                     const bool null = args[0]->IsNull(i);
                     if (sign < 0) {
                       const auto at = std::find_if(list.begin(), list.end(), [&](const Item<K>& item) {
                         return item.null == null && (null || KeyOf(T(item.value)) == KeyOf(read(i)));
                       });
                       if (at != list.end()) list.erase(at);
                     } else if (static_cast<int64_t>(list.size()) >= elements_max_) {
                       ++over_bound_;
                     } else {
                       list.push_back(Item<K>{null ? K{} : K(read(i)), null});
                     }
                   });
    return Status::OK();
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const ListAccumulators&>(other).lists_;
    for (size_t i = 0; i < target.size(); ++i) {
      const List added = from[source[i]];
      List& list = lists_[target[i]];
      const auto room = static_cast<size_t>(std::max<int64_t>(0, elements_max_ - static_cast<int64_t>(list.size())));
      const size_t taken = std::min(room, added.size());
      list.insert(list.end(), added.begin(), added.begin() + static_cast<std::ptrdiff_t>(taken));
      over_bound_ += static_cast<int64_t>(added.size() - taken);
    }
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    if (result_ == ListResult::kArray) return Lists(slots, type_, true);
    const auto rows = static_cast<int64_t>(slots.size());
    if (result_ == ListResult::kText) {
      return BuildColumn<std::string>(type_, rows, [&](int64_t i, std::string& out) {
        out.clear();
        if constexpr (std::is_same_v<K, std::string>) {
          const List& list = lists_[slots[static_cast<size_t>(i)]];
          for (size_t k = 0; k < list.size(); ++k) out += (k > 0 ? separator_ : std::string()) + list[k].value;
        }
        return !lists_[slots[static_cast<size_t>(i)]].empty();
      });
    }
    return BuildColumn<K>(type_, rows, [&](int64_t i, K& out) {
      const List& list = lists_[slots[static_cast<size_t>(i)]];
      if (!list.empty()) out = result_ == ListResult::kFirst ? list.front().value : list.back().value;
      return !list.empty();
    });
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> lists, Lists(slots, DataType::Array(element_), false));
    return std::vector<std::shared_ptr<arrow::Array>>{std::move(lists)};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    const auto& column = static_cast<const arrow::ListArray&>(*columns[0]);
    const arrow::Array& elements = *column.values();
    const Reader<T> read(elements, false);
    for (size_t i = 0; i < slots.size(); ++i) {
      List& list = lists_[slots[i]];
      list.clear();
      for (int64_t k = column.value_offset(static_cast<int64_t>(i));
           k < column.value_offset(static_cast<int64_t>(i) + 1); ++k) {
        const bool null = elements.IsNull(k);
        list.push_back(Item<K>{null ? K{} : K(read(k)), null});
      }
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override {
    auto bytes = static_cast<int64_t>(lists_.capacity() * sizeof(List));
    for (const List& list : lists_) bytes += static_cast<int64_t>(list.capacity() * sizeof(Item<K>));
    return bytes;
  }

 private:
  // `empty_is_null`: a group without rows gives NULL instead of an empty array.
  Result<std::shared_ptr<arrow::Array>> Lists(std::span<const uint32_t> slots, const DataType& type,
                                              bool empty_is_null) const {
    std::vector<const Item<K>*> items;
    std::vector<int32_t> ends;
    Validity validity;
    bool owned = false;
    for (size_t i = 0; i < slots.size(); ++i) {
      for (const Item<K>& item : lists_[slots[i]]) items.push_back(&item);
      ends.push_back(static_cast<int32_t>(items.size()));
      if (empty_is_null && lists_[slots[i]].empty()) {
        TM_RETURN_IF_ERROR(AddNull(validity, owned, static_cast<int64_t>(i), static_cast<int64_t>(slots.size())));
      }
    }
    TM_ASSIGN_OR_RETURN(
        std::shared_ptr<arrow::Array> elements,
        BuildColumn<K>(type.children()[0].type, static_cast<int64_t>(items.size()), [&](int64_t i, K& out) {
          out = items[static_cast<size_t>(i)]->value;
          return !items[static_cast<size_t>(i)]->null;
        }));
    return WrapLists(type, ends, elements, validity);
  }

  ListResult result_;
  DataType type_;
  DataType element_;
  int64_t elements_max_;
  std::string separator_;
  Schema schema_;
  std::vector<List> lists_;
  int64_t over_bound_ = 0;
};

// COLLECT: values with how often they are there, in the order of their keys.
template <typename T>
class MultisetAccumulators final : public Accumulators {
  using Counts = std::map<ValueKey<T>, int32_t, std::less<>>;

 public:
  explicit MultisetAccumulators(const ResolvedAggregate& resolved)
      : type_(resolved.result),
        element_(resolved.arguments[0].WithNullable(false)),
        elements_max_(resolved.elements_max),
        schema_(StateSchema(
            {{"values", DataType::Array(element_)}, {"counts", DataType::Array(IntType().WithNullable(false))}})) {}

  void Resize(int64_t slots) override { groups_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) groups_[slot].clear();
  }
  bool retractable() const override { return true; }
  int64_t rows_over_bound() const override { return over_bound_; }
  const Schema& state_schema() const override { return schema_; }
  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<T> read(*args[0], false);
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int sign) {
      Add(groups_[slots[static_cast<size_t>(i)]], ValueKey<T>(KeyOf(read(i))), sign);
    });
    return Status::OK();
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const MultisetAccumulators&>(other).groups_;
    for (size_t i = 0; i < target.size(); ++i) {
      const Counts added = from[source[i]];
      for (const auto& [key, count] : added) Add(groups_[target[i]], key, count);
    }
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto columns, Export(slots));
    const auto& values = static_cast<const arrow::ListArray&>(*columns[0]);
    const auto& counts = static_cast<const arrow::ListArray&>(*columns[1]);
    const std::shared_ptr<arrow::DataType> type = ToArrow(type_);
    auto entries =
        arrow::ArrayData::Make(static_cast<const arrow::MapType&>(*type).value_type(), values.values()->length(),
                               {nullptr}, {values.values()->data(), counts.values()->data()}, 0);
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, values.length(), {nullptr, values.value_offsets()}, {entries}, 0));
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto values, BuildLists<Kept<T>>(element_, slots.size(), [&](size_t i, auto&& add) {
                          for (const auto& [key, count] : groups_[slots[i]]) add(ValueOf<T>(key));
                        }));
    TM_ASSIGN_OR_RETURN(auto counts,
                        BuildLists<int32_t>(IntType().WithNullable(false), slots.size(), [&](size_t i, auto&& add) {
                          for (const auto& [key, count] : groups_[slots[i]]) add(count);
                        }));
    return std::vector<std::shared_ptr<arrow::Array>>{std::move(values), std::move(counts)};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    const auto& values = static_cast<const arrow::ListArray&>(*columns[0]);
    const auto& counts = static_cast<const arrow::ListArray&>(*columns[1]);
    const Reader<T> value(*values.values(), false);
    const Reader<int32_t> count(*counts.values(), false);
    for (size_t i = 0; i < slots.size(); ++i) {
      Counts& group = groups_[slots[i]];
      group.clear();
      const auto row = static_cast<int64_t>(i);
      for (int64_t k = 0; k < values.value_length(row); ++k) {
        group[ValueKey<T>(KeyOf(value(values.value_offset(row) + k)))] = count(counts.value_offset(row) + k);
      }
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override {
    auto bytes = static_cast<int64_t>(groups_.capacity() * sizeof(Counts));
    for (const Counts& counts : groups_)
      bytes += static_cast<int64_t>(counts.size() * (sizeof(typename Counts::value_type) + 32));
    return bytes;
  }

 private:
  void Add(Counts& counts, ValueKey<T> key, int32_t by) {
    const auto at = counts.find(key);
    if (at == counts.end()) {
      if (by <= 0) return;
      if (static_cast<int64_t>(counts.size()) >= elements_max_) {
        ++over_bound_;
        return;
      }
      counts.emplace(std::move(key), by);
    } else if ((at->second += by) <= 0) {
      counts.erase(at);
    }
  }

  DataType type_;
  DataType element_;
  int64_t elements_max_;
  Schema schema_;
  std::vector<Counts> groups_;
  int64_t over_bound_ = 0;
};

std::unique_ptr<Accumulators> MakeLists(const ResolvedAggregate& resolved) {
  std::unique_ptr<Accumulators> made;
  const ListResult result = resolved.result.kind() == TypeKind::kArray ? ListResult::kArray : ListResult::kText;
  DispatchPhysical(resolved.arguments[0].kind(),
                   [&](auto tag) { made = MakeListAccumulators<typename decltype(tag)::Type>(resolved, result); });
  return made;
}

std::unique_ptr<Accumulators> MakeMultiset(const ResolvedAggregate& resolved) {
  std::unique_ptr<Accumulators> made;
  DispatchPhysical(resolved.arguments[0].kind(), [&](auto tag) {
    made = std::make_unique<MultisetAccumulators<typename decltype(tag)::Type>>(resolved);
  });
  return made;
}

Result<ResolvedAggregate> ResolveArrayAgg(Args args, bool distinct) {
  if (args.size() != 1 || !TakesDistinct(args[0].type))
    return WrongArguments("ARRAY_AGG", args, "one number, text, BOOLEAN or time");
  ResolvedAggregate resolved;
  resolved.result = DataType::Array(args[0].type);
  resolved.arguments = {args[0].type};
  resolved.distinct = distinct;
  resolved.make = MakeMaybeDistinct<MakeLists>;
  return resolved;
}

Result<ResolvedAggregate> ResolveListAgg(Args args, bool distinct) {
  if (args.empty() || args.size() > 2 || !ImplicitlyCastable(args[0].type, StringType())) {
    return WrongArguments("LISTAGG", args, "(STRING [, separator STRING])");
  }
  ResolvedAggregate resolved;
  resolved.result = StringType();
  resolved.arguments = {StringType().WithNullable(args[0].type.nullable())};
  if (args.size() == 2) {
    TM_ASSIGN_OR_RETURN(resolved.separator, LiteralString("LISTAGG", args, 1, "the separator"));
  }
  resolved.distinct = distinct;
  resolved.make = MakeMaybeDistinct<MakeLists>;
  return resolved;
}

Result<ResolvedAggregate> ResolveCollect(Args args, bool distinct) {
  if (args.size() != 1 || distinct || !TakesDistinct(args[0].type)) {
    return WrongArguments("COLLECT", args, "one number, text, BOOLEAN or time, without DISTINCT");
  }
  ResolvedAggregate resolved;
  resolved.result = DataType::Multiset(args[0].type.WithNullable(false)).WithNullable(false);
  resolved.arguments = {args[0].type};
  resolved.make = MakeMultiset;
  return resolved;
}

}  // namespace

template <typename T>
std::unique_ptr<Accumulators> MakeListAccumulators(const ResolvedAggregate& resolved, ListResult result) {
  return std::make_unique<ListAccumulators<T>>(resolved, result);
}
template std::unique_ptr<Accumulators> MakeListAccumulators<bool>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<int8_t>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<int16_t>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<int32_t>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<int64_t>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<float>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<double>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<__int128>(const ResolvedAggregate&, ListResult);
template std::unique_ptr<Accumulators> MakeListAccumulators<std::string_view>(const ResolvedAggregate&, ListResult);

std::vector<AggregateFunction> CollectionAggregates() {
  return {
      {"ARRAY_AGG", "ARRAY_AGG([DISTINCT] value) -> ARRAY",
       "All values in the order of the rows, NULL included; at most 100,000 a group.",
       "ARRAY_AGG(x) FROM (VALUES 3, NULL, 1)", "[3, NULL, 1]", ResolveArrayAgg},
      {"LISTAGG", "LISTAGG([DISTINCT] text STRING [, separator STRING]) -> STRING",
       "The texts one after the other, with the separator (',') between them; at most 100,000 a group.",
       "LISTAGG(x, '; ') FROM (VALUES 'a', NULL, 'b')", "a; b", ResolveListAgg},
      {"COLLECT", "COLLECT(value) -> MULTISET", "The values that are not NULL, each with how often it is there.",
       "COLLECT(x) FROM (VALUES 2, 1, 2)", "{1=1, 2=2}", ResolveCollect},
  };
}

}  // namespace tidemill
