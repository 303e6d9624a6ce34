#include "routing/condition.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

const Origin kOrigin{
    .kind = "Service", .namespace_ = "shop", .name = "cart", .route = "", .index = -1, .file = "s.yaml", .at = {7, 3}};

TEST(Condition, NamesTheObjectAndWhereItStands) {
  const auto said = condition(config::Level::kWarning, "WEIR0000", kOrigin, "cannot hold");
  EXPECT_EQ(config::to_text(said), "s.yaml:7:3: Warning [WEIR0000] (Service shop/cart) cannot hold");
}

TEST(Condition, APlaceOfItsOwnComesFirst) {
  const auto said = condition(config::Level::kInfo, "WEIR0000", kOrigin, "cannot hold", {9, 5});
  EXPECT_EQ(config::to_text(said), "s.yaml:9:5: Info [WEIR0000] (Service shop/cart) cannot hold");
}

}  // namespace
}  // namespace weir::routing
