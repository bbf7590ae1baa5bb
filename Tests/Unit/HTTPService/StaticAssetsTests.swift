import Foundation
import Foundations
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct StaticAssetsTests {
    let text = "0123456789"
    var asset: Asset {
        get throws {
            try #require(StaticAssets(files: ["a.txt": self.text], modified: 1_000).asset(at: "/static/a.txt"))
        }
    }

    func body(_ response: HTTPResponse) -> String? {
        if case .bytes(let buffer) = response.body { String(buffer: buffer) } else { nil }
    }

    @Test func `Only the exact path of a file matches`() throws {
        let assets = StaticAssets(
            files: ["index.html": "i", "login.html": "l", "js/a.js": "j"],
            paths: [
                AssetPath("/", file: "index.html", scope: .read, isPage: true),
                AssetPath("/login", file: "login.html", scope: nil, isPage: true),
            ])
        #expect(assets.asset(at: "/")?.contentType == "text/html; charset=utf-8")
        #expect(assets.asset(at: "/")?.scope == .read)
        #expect(assets.asset(at: "/login")?.scope == nil)
        #expect(assets.asset(at: "/static/js/a.js")?.contentType == "text/javascript; charset=utf-8")
        for path in ["/static/../index.html", "/static/js/../index.html", "/static/", "/static/js", "/index.html"] {
            #expect(assets.asset(at: path) == nil, "\(path)")
        }
    }

    @Test func `A client with the current version gets 304`() throws {
        let asset = try self.asset
        let tag = asset.entityTag
        for headers: HTTPHeaders in [
            ["If-None-Match": tag], ["If-None-Match": "\"x\", W/\(tag)"], ["If-None-Match": "*"],
            ["If-Modified-Since": HTTPDate.string(1_000)],
        ] {
            let response = asset.response(to: headers)
            #expect(response.status == .notModified, "\(headers)")
            #expect(response.headers.first(name: "etag") == tag)
            #expect(self.body(response) == nil)
        }
        for headers: HTTPHeaders in [
            ["If-None-Match": "\"x\""], ["If-Modified-Since": HTTPDate.string(999)],
            ["If-None-Match": "\"x\"", "If-Modified-Since": HTTPDate.string(1_000)],
            ["If-None-Match": "\"a,*,b\""], ["If-None-Match": "*, \"x\""],
            ["If-Modified-Since": "yesterday"],
            HTTPHeaders([
                ("If-Modified-Since", HTTPDate.string(1_000)), ("If-Modified-Since", HTTPDate.string(1_000)),
            ]),
        ] {
            #expect(asset.response(to: headers).status == .ok, "\(headers)")
        }
    }

    @Test(
        arguments: [
            ["Range": "bytes=0-3"], ["Range": "bytes=99-"], ["Range": "bytes=0-3", "If-Range": "\"x\""],
            ["If-Match": "\"x\""], ["If-Unmodified-Since": HTTPDate.string(999)],
        ] as [HTTPHeaders])
    func `Ranges and other conditions are ignored`(headers: HTTPHeaders) throws {
        let response = try self.asset.response(to: headers)
        #expect(response.status == .ok)
        #expect(self.body(response) == self.text)
        #expect(!response.headers.contains(name: "accept-ranges"))
    }

    @Test func `A modification time in the future is limited to now`() throws {
        try Self.withFolder { folder in
            try Self.write("a", to: folder, "a.txt")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: 86_400)], ofItemAtPath: folder + "/a.txt")
            let asset = try #require(StaticAssets(directory: folder).asset(at: "/static/a.txt"))
            #expect(asset.modified <= Int(Date().timeIntervalSince1970))
        }
    }

    @Test func `A long file is sent compressed with its own entity tag`() throws {
        let long = String(repeating: "a line of text\n", count: 1_000)
        let asset = try #require(StaticAssets(files: ["a.txt": long]).asset(at: "/static/a.txt"))
        let response = asset.response(to: ["Accept-Encoding": "gzip"])
        #expect(response.headers.first(name: "content-encoding") == "gzip")
        #expect(response.headers.first(name: "etag") == asset.compressedEntityTag)
        #expect(response.headers["vary"] == ["Accept-Encoding"])
        #expect(asset.response(to: [:]).headers["vary"] == ["Accept-Encoding"])
    }

    @Test func `A folder is read without hidden files, and again at a reload`() throws {
        try Self.withFolder { folder in
            try Self.write("index", to: folder, "index.html")
            try Self.write("body{}", to: folder, "css/a.css")
            try Self.write("secret", to: folder, ".git/config")
            let assets = try StaticAssets(
                directory: folder, paths: [AssetPath("/", file: "index.html", scope: nil, isPage: true)])
            #expect(assets.asset(at: "/") != nil)
            #expect(assets.asset(at: "/static/css/a.css")?.contentType == "text/css; charset=utf-8")
            #expect(assets.asset(at: "/static/.git/config") == nil)
            try Self.write("new", to: folder, "new.txt")
            try FileManager.default.removeItem(atPath: folder + "/css")
            try assets.reload()
            #expect(assets.asset(at: "/static/new.txt") != nil)
            #expect(assets.asset(at: "/static/css/a.css") == nil)
        }
    }

    @Test func `Links out of the folder are refused, others are followed`() throws {
        try Self.withFolder { folder in
            try Self.write("a", to: folder, "a.txt")
            try FileManager.default.createSymbolicLink(atPath: folder + "/b.txt", withDestinationPath: "a.txt")
            let assets = try StaticAssets(directory: folder)
            #expect(assets.asset(at: "/static/b.txt") != nil)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/c.txt", withDestinationPath: "/etc/hostname")
            #expect(throws: HTTPServiceError.self) { try assets.reload() }
            #expect(assets.asset(at: "/static/b.txt") != nil, "what there was stays")
        }
    }

    @Test func `A missing folder and an exceeded limit are errors`() throws {
        #expect(throws: HTTPServiceError.self) { try StaticAssets(directory: "/nonexistent") }
        try Self.withFolder { folder in
            try Self.write("12345", to: folder, "a.txt")
            try Self.write("12345", to: folder, "b.txt")
            #expect(throws: HTTPServiceError.self) { try StaticAssets(directory: folder, maximumTotalSize: 9) }
            #expect(throws: HTTPServiceError.self) { try StaticAssets(directory: folder, maximumFiles: 1) }
        }
    }

    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "nnmonitor-assets-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func write(_ text: String, to folder: String, _ name: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }
}
