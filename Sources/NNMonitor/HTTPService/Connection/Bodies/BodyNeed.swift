extension BodyShares {
    /// The bytes that a growing body needs.
    struct Need {
        /// Whether the body is still small after growing.
        let isSmall: Bool
        /// The bytes needed in the body's size class: the whole body if it becomes large, else the growth.
        let bytes: Int
        /// The bytes that the body already holds in its size class.
        let own: Int
        /// The bytes that move from the small class to the large one.
        let moved: Int

        init(body taken: Int, growth: Int) {
            self.isSmall = taken + growth <= BodyBudget.smallBody
            let becomesLarge = !self.isSmall && taken <= BodyBudget.smallBody
            self.bytes = becomesLarge ? taken + growth : growth
            self.own = becomesLarge ? 0 : taken
            self.moved = becomesLarge ? taken : 0
        }
    }
}
