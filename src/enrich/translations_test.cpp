// SPDX-License-Identifier: Apache-2.0
#include "enrich/translations.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

namespace sockeye {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

FlowEnd end(uint8_t last, uint16_t port) {
  FlowEnd made{{}, port};
  made.address[10] = made.address[11] = 0xff;
  made.address[12] = 10;
  made.address[15] = last;
  return made;
}

// What the kernel would know.
struct Kernel {
  std::map<uint16_t, FlowEnd> by_source_port;
  bool in_use = true;
  bool can_open = true;
  int opened = 0, closed = 0, asked = 0;

  class Table : public FlowTable {
   public:
    explicit Table(Kernel& kernel) : kernel_(kernel) {}
    ~Table() override { ++kernel_.closed; }
    bool is_in_use() override { return kernel_.in_use; }
    std::optional<FlowEnd> answers_from(const Flow& flow) override {
      ++kernel_.asked;
      const auto found = kernel_.by_source_port.find(flow.source.port);
      if (found == kernel_.by_source_port.end()) return {};
      return found->second;
    }

   private:
    Kernel& kernel_;
  };

  Translations::Open open() {
    return [this](uint32_t, uint32_t) -> std::unique_ptr<FlowTable> {
      ++opened;
      return can_open ? std::make_unique<Table>(*this) : nullptr;
    };
  }
};

Flow flow(uint16_t source_port, uint16_t port = 80) { return {end(1, source_port), end(2, port)}; }

TEST(Translations, TellsWhereAConnectionWentIfElsewhere) {
  Kernel kernel;
  kernel.by_source_port = {{1000, end(9, 8080)}, {1001, end(2, 81)}};
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  EXPECT_EQ(translations.of(7, 100, flow(1000)), end(9, 8080));
  EXPECT_EQ(translations.of(7, 100, flow(1001, 81)), std::nullopt);
  EXPECT_EQ(translations.of(7, 100, flow(1002, 82)), std::nullopt) << "not in the table";
  EXPECT_EQ(kernel.opened, 1);
}

TEST(Translations, AsksOnceASecondForADestinationThatIsNotTranslated) {
  Kernel kernel;
  for (uint16_t port = 1000; port < 1010; ++port) kernel.by_source_port[port] = end(2, 80);
  Translations translations(kernel.open());
  translations.begin_batch(10 * kSecond);
  for (uint16_t port = 1000; port < 1010; ++port) translations.of(7, 100, flow(port));
  EXPECT_EQ(kernel.asked, 1);
  kernel.by_source_port[1005] = end(9, 80);
  translations.begin_batch(11 * kSecond);
  EXPECT_EQ(translations.of(7, 100, flow(1005)), end(9, 80));
}

TEST(Translations, AsksForEachProcess) {
  Kernel kernel;
  kernel.by_source_port = {{1000, end(2, 80)}, {1001, end(9, 80)}};
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  EXPECT_EQ(translations.of(7, 100, flow(1000)), std::nullopt);
  EXPECT_EQ(translations.of(7, 101, flow(1001)), end(9, 80)) << "a rule may be about its user";
}

TEST(Translations, AsksOnceASecondForWhatIsNotInTheTable) {
  Kernel kernel;
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  for (uint16_t port = 1000; port < 1010; ++port) translations.of(7, 100, flow(port));
  EXPECT_EQ(kernel.asked, 1);
}

TEST(Translations, AsksSoMuchInABatch) {
  Kernel kernel;
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  for (uint32_t pid = 1; pid <= 2 * Translations::kQueries; ++pid) translations.of(7, pid, flow(1000));
  EXPECT_EQ(kernel.asked, static_cast<int>(Translations::kQueries));
  kernel.by_source_port = {{1001, end(9, 80)}};
  translations.begin_batch(kSecond + 1);
  EXPECT_EQ(translations.of(7, 2 * Translations::kQueries, flow(1001)), end(9, 80));
}

TEST(Translations, AsksAlwaysForADestinationThatIsTranslated) {
  Kernel kernel;
  kernel.by_source_port = {{1000, end(8, 80)}, {1001, end(9, 80)}};
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  EXPECT_EQ(translations.of(7, 100, flow(1000)), end(8, 80));
  EXPECT_EQ(translations.of(7, 100, flow(1001)), end(9, 80));
}

TEST(Translations, AnEmptyTableIsNotAsked) {
  Kernel kernel;
  kernel.in_use = false;
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  EXPECT_EQ(translations.of(7, 100, flow(1000)), std::nullopt);
  EXPECT_EQ(kernel.asked, 0);
}

TEST(Translations, ATableThatCannotBeOpenedIsTriedAgainAfterASecond) {
  Kernel kernel;
  kernel.can_open = false;
  kernel.by_source_port = {{1000, end(9, 80)}};
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  translations.of(7, 100, flow(1000));
  translations.of(7, 101, flow(1000));
  EXPECT_EQ(kernel.opened, 1);
  kernel.can_open = true;
  translations.begin_batch(2 * kSecond);
  EXPECT_EQ(translations.of(7, 102, flow(1000)), end(9, 80));
}

TEST(Translations, LetsANamespaceGoThatHasNoMoreConnections) {
  Kernel kernel;
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  translations.of(7, 100, flow(1000));
  translations.begin_batch(2 * kSecond);
  EXPECT_EQ(kernel.closed, 0);
  translations.begin_batch(4 * kSecond);
  EXPECT_EQ(kernel.closed, 1);
}

TEST(Translations, HoldsAsManyNamespacesAsItMay) {
  Kernel kernel;
  Translations translations(kernel.open());
  translations.begin_batch(kSecond);
  for (uint32_t netns = 0; netns < 2 * Translations::kNamespaces; ++netns) translations.of(netns, 100, flow(1000));
  EXPECT_EQ(kernel.opened, static_cast<int>(Translations::kNamespaces));
}

}  // namespace
}  // namespace sockeye
