package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	adapterv1 "irhub/adapter/v1"
	blobv1 "irhub/blob/v1"

	"google.golang.org/grpc"
)

const chunkBytes = 1 << 20

// store is the BlobService of a hub or of an adapter.
type store struct{ client blobv1.BlobServiceClient }

func storeAt(connection *grpc.ClientConn) store {
	return store{blobv1.NewBlobServiceClient(connection)}
}

// upload sends a file, unless the service has its content already.
func (s store) upload(ctx context.Context, path string) (*adapterv1.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return nil, err
	}
	blob := &blobv1.Blob{Digest: hex.EncodeToString(hash.Sum(nil)), SizeBytes: size}
	return &adapterv1.File{Name: filepath.Base(path), Blob: blob}, s.write(ctx, blob, file)
}

// put sends bytes, unless the service has them already.
func (s store) put(ctx context.Context, content []byte) (*blobv1.Blob, error) {
	digest := sha256.Sum256(content)
	blob := &blobv1.Blob{Digest: hex.EncodeToString(digest[:]), SizeBytes: int64(len(content))}
	return blob, s.write(ctx, blob, bytes.NewReader(content))
}

func (s store) write(ctx context.Context, blob *blobv1.Blob, content io.ReadSeeker) error {
	found, err := s.client.FindMissingBlobs(
		ctx, &blobv1.FindMissingBlobsRequest{Blobs: []*blobv1.Blob{blob}})
	if err != nil || len(found.MissingBlobs) == 0 {
		return err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	stream, err := s.client.WriteBlob(ctx)
	if err != nil {
		return err
	}
	request := &blobv1.WriteBlobRequest{Blob: blob, UploadId: uploadID()}
	for {
		chunk := make([]byte, chunkBytes)
		count, err := io.ReadFull(content, chunk)
		request.Data = chunk[:count]
		// A send fails with io.EOF when the service has answered: it has the blob, or says why not.
		if sendErr := stream.Send(request); sendErr != nil || count < chunkBytes {
			break
		}
		if err != nil {
			return err
		}
		request = &blobv1.WriteBlobRequest{}
	}
	written, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if !written.Complete {
		return fmt.Errorf("%s broke off after %d bytes", blob.Digest, written.CommittedSizeBytes)
	}
	return nil
}

// read returns a blob's content, compared with its digest.
func (s store) read(ctx context.Context, blob *blobv1.Blob) ([]byte, error) {
	stream, err := s.client.ReadBlob(ctx, &blobv1.ReadBlobRequest{Blob: blob})
	if err != nil {
		return nil, err
	}
	content := make([]byte, 0, blob.SizeBytes)
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		content = append(content, response.Data...)
	}
	if digest := sha256.Sum256(content); hex.EncodeToString(digest[:]) != blob.Digest {
		return nil, fmt.Errorf("what came isn't the blob %s", blob.Digest)
	}
	return content, nil
}

// download writes files into a folder.
func (s store) download(ctx context.Context, files []*adapterv1.File, folder string) error {
	for _, file := range files {
		content, err := s.read(ctx, file.Blob)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
		fmt.Printf("wrote %s, %d bytes\n", file.Name, len(content))
	}
	return nil
}

func uploadID() string {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		panic(err) // there is no randomness: nothing sensible can follow
	}
	return hex.EncodeToString(id)
}
