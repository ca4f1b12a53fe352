import ArgumentParser

struct Sigma: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gather the second moment (Sigma) of every layer's input.",
        discussion: "`martlet sigma MODEL DATA -o FILE` gathers; see `martlet help sigma gather`.",
        subcommands: [GatherSigma.self, SigmaCost.self],
        defaultSubcommand: GatherSigma.self)
}
