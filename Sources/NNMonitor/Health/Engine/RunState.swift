import MonitorCore

/// What rules read of a run at a step, besides the layer's own numbers.
struct RunState: Sendable {
    /// The largest learning rate of the step's groups; `nil` if none was posted.
    private(set) var learningRate: Double?
    /// The largest learning rate so far; 0 for none.
    private(set) var largestLearningRate = 0.0
    /// The number of reports with a loss since the learning rate rose last.
    private(set) var reportsSinceRise = Int.max
    /// The first finite loss; `nil` if there was none.
    private(set) var firstLoss: Double?
    /// The last finite loss.
    private(set) var lastLoss: Double?
    /// Whether the optimizer skipped the step, and not twenty in a row.
    private(set) var isSkipped = false
    private var skippedInRow = 0
    /// Whether the run trains in half precision.
    var isHalfPrecision = false
    /// The number of skipped steps in a row from which on they are judged.
    private static let mostSkipped = 20

    /// Takes the scalars of a step.
    mutating func note(_ values: StepValues) {
        let columns = values.columns
        skippedInRow = values.scalar(columns.skipped) == 1 ? skippedInRow + 1 : 0
        isSkipped = skippedInRow > 0 && skippedInRow < Self.mostSkipped
        var rate = -Double.infinity
        for index in columns.learningRates {
            let value = values.scalar(index)
            if value.isFinite { rate = max(rate, value) }
        }
        if rate.isFinite {
            if let learningRate, rate > learningRate { reportsSinceRise = 0 }
            learningRate = rate
            largestLearningRate = max(largestLearningRate, rate)
        }
        let loss = values.scalar(columns.loss)
        if loss.isFinite {
            firstLoss = firstLoss ?? loss
            lastLoss = loss
            if reportsSinceRise < .max { reportsSinceRise += 1 }
        }
    }

    /// The largest learning rate over the present one; 1 where it is unknown, `nil` where it is so small that ratios
    /// of updates mean nothing.
    func rateFactor(least: Double) -> Double? {
        guard let learningRate, largestLearningRate > 0 else { return 1 }
        return learningRate < least * largestLearningRate ? nil : largestLearningRate / learningRate
    }

    /// Whether the loss is above a share of its first value, or unknown.
    func isLossAbove(_ share: Double) -> Bool {
        guard let firstLoss, let lastLoss else { return true }
        return lastLoss > share * firstLoss
    }
}
